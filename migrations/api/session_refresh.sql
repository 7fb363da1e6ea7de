-- ----------------------------------------------------------------------
-- api.session_refresh(session, counter, idle)
--
--      Takes a refresh counter and says which one to hand out.  A replay
--      ends the session.  Never raises for a bad counter: the revocation
--      must commit.
--
-- Returns:  verdict rotated|repeated|refused; when not refused: session_id,
--           user_id, login, role, tenant_id, rt_counter, idle_expiry,
--           abs_expiry, channel; _events
-- Raises:   nothing of its own
-- Writes:   podi.session, on replay podi.audit, podi.user_event
-- Called:   account/ngx_http_podi_account_refresh.c
-- ----------------------------------------------------------------------
drop function if exists api.session_refresh(uuid, bigint, bigint);
create or replace function api.session_refresh(
    i_session  uuid,
    i_counter  bigint,
    i_idle_ms  bigint,
    out verdict      text,
    out session_id   uuid,
    out user_id      uuid,
    out login        text,
    out display_name text,
    out role         text,
    out tenant_id    uuid,
    out identity_source text,
    out rt_counter   bigint,
    out idle_expiry  timestamptz,
    out abs_expiry   timestamptz,
    out channel      text,
    out _events      jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
begin
    perform internal.enter('any');
    verdict := internal.session_rotate(i_session, i_counter, i_idle_ms);
    _events := '[]';

    if verdict = 'replay' then
        select coalesce(r.o_events, '[]') into _events
          from internal.session_revoke(i_session, 'refresh_replay',
                                       'session.replay') r;
        verdict := 'refused';
    end if;
    if verdict = 'refused' then
        return;
    end if;

    select s.session_id, u.user_id, u.login, u.display_name, u.role,
           s.tenant_id, s.identity_source, s.rt_counter, s.idle_expiry,
           s.abs_expiry, s.channel
      into session_id, user_id, login, display_name, role, tenant_id,
           identity_source, rt_counter, idle_expiry, abs_expiry, channel
      from session s
      join users u on u.tenant_id = s.tenant_id and u.user_id = s.user_id
     where s.tenant_id = internal.tenant() and s.session_id = i_session;
end
$$;
