-- ----------------------------------------------------------------------
-- internal.event_made(type, tenant, user, task, job, trace, data)
--
--      An event before it has its number.  Inlined, so it carries no SET
--      clause and names nothing that a search path could change.
--
-- Returns:  jsonb for internal.event_append_all
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.job_start
-- ----------------------------------------------------------------------
create or replace function internal.event_made(
    i_type    text,
    i_tenant  uuid,
    i_user    uuid,
    i_task    uuid,
    i_job     uuid,
    i_trace   text,
    i_data    jsonb)
returns jsonb
language sql stable
as $$
    select jsonb_build_object('type', i_type, 'tenant_id', i_tenant,
               'user_id', i_user, 'task_id', i_task, 'job_id', i_job,
               'trace_id', i_trace, 'data', i_data)
$$;
