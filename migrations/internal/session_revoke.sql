-- ----------------------------------------------------------------------
-- internal.session_revoke(session, reason, verb)
--
--      Ends a live session of the entered tenant, whoever owns it, and tells
--      its user.  Invoker rights.
--
-- Returns:  o_revoked_at, o_events; both NULL when it was not live
-- Raises:   nothing
-- Writes:   podi.session, podi.event_ticket, podi.audit, podi.user_event
-- Called:   api.session_end, api.session_refresh, api.api_key_revoke
-- ----------------------------------------------------------------------
create or replace function internal.session_revoke(
    i_session  uuid,
    i_reason   text,
    i_verb     text,
    out o_revoked_at  timestamptz,
    out o_events      jsonb)
language plpgsql
set search_path = podi, pg_temp
as $$
declare
    v_user  uuid;
begin
    update session s
       set revoked_at = clock_timestamp(), revoke_reason = i_reason
     where s.tenant_id = internal.tenant() and s.session_id = i_session
       and s.revoked_at is null
    returning s.user_id, s.revoked_at into v_user, o_revoked_at;
    if not found then
        return;
    end if;

    delete from event_ticket e
     where e.tenant_id = internal.tenant() and e.session_id = i_session;
    perform internal.audit_write(i_verb, v_user,
            jsonb_build_object('session_id', i_session, 'reason', i_reason));
    o_events := internal.event_append(internal.tenant(), v_user,
            jsonb_build_array(jsonb_build_object(
                'type', 'session.revoked',
                'data', jsonb_build_object('session_id', i_session,
                                           'reason', i_reason))));
end
$$;
