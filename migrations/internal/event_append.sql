-- ----------------------------------------------------------------------
-- internal.event_append(tenant, user, events)
--
--      internal.event_append_all for events of one user, which do not name
--      him: [{"type", "task_id"?, "job_id"?, "trace_id"?, "data"?}, ...].
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the events as stored, with tenant_id, user_id, seq and at added:
--           what the caller returns as _events
-- Raises:   U0404 the user has no head
-- Writes:   podi.user_head, podi.user_event
-- Called:   whatever tells a user something
-- ----------------------------------------------------------------------
create or replace function internal.event_append(
    i_tenant  uuid,
    i_user    uuid,
    i_events  jsonb)
returns jsonb
language plpgsql
as $$
begin
    return internal.event_append_all(i_events, jsonb_build_object(
               'tenant_id', i_tenant, 'user_id', i_user));
end
$$;
