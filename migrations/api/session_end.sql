-- ----------------------------------------------------------------------
-- api.session_end(session, reason)
--
--      Ends one of the caller's own sessions.
--
-- Returns:  ended (false: it was not live, or not his), revoked_at, _events
-- Raises:   nothing of its own
-- Writes:   podi.session, podi.event_ticket, podi.audit, podi.user_event
-- Called:   account/ngx_http_podi_account_logout.c
-- ----------------------------------------------------------------------
create or replace function api.session_end(
    i_session  uuid,
    i_reason   text,
    out ended       boolean,
    out revoked_at  timestamptz,
    out _events     jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin');
    ended := false;
    _events := '[]';

    select s.revoked_at into revoked_at
      from session s
     where s.tenant_id = internal.tenant() and s.session_id = i_session
       and s.user_id = internal.user_id();
    if not found or revoked_at is not null then
        return;
    end if;

    select r.o_revoked_at is not null, r.o_revoked_at,
           coalesce(r.o_events, '[]')
      into ended, revoked_at, _events
      from internal.session_revoke(i_session, coalesce(i_reason, 'logout'),
                                   'account.logout') r;
end
$$;
