-- ----------------------------------------------------------------------
-- api.session_end_all(reason)
--
--      Ends all sessions of the caller, the one he asks with too.  His API
--      keys are no devices: they go on.
--
-- Returns:  ended, a JSON array of their ids; _events
-- Raises:   nothing of its own
-- Writes:   podi.session, podi.event_ticket, podi.audit, podi.user_event
-- Called:   account/ngx_http_podi_account_logout_all.c
-- ----------------------------------------------------------------------
create or replace function api.session_end_all(
    i_reason  text,
    out ended    jsonb,
    out _events  jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin');

    select to_jsonb(e.o_ended), e.o_events into ended, _events
      from internal.sessions_end(internal.tenant(), internal.user_id(), null,
               false, coalesce(i_reason, 'logout'), 'account.logout_all') e;
end
$$;
