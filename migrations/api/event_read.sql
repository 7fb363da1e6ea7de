-- ----------------------------------------------------------------------
-- api.event_read(after, limit)
--
--      The caller's events after a number, oldest first.
--
-- Returns:  seq, type, at, task_id, job_id, trace_id, data
-- Raises:   nothing of its own
-- Writes:   nothing
-- Called:   event/, when a stream resumes or sees a gap
-- ----------------------------------------------------------------------
create or replace function api.event_read(i_after bigint, i_limit int)
returns table (
    seq       bigint,
    type      text,
    at        timestamptz,
    task_id   uuid,
    job_id    uuid,
    trace_id  text,
    data      jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin', 'gateway');
    return query
    select e.seq, e.type, e.at, e.task_id, e.job_id, e.trace_id, e.data
      from user_event e
     where e.tenant_id = internal.tenant()
       and e.user_id = internal.user_id()
       and e.seq > coalesce(i_after, 0)
     order by e.seq
     limit least(greatest(coalesce(i_limit, 100), 1), 1000);
end
$$;
