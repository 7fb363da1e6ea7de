-- ----------------------------------------------------------------------
-- sys.worker_gone(worker)
--
--      A worker process is dead, its parent says so: what it held is taken
--      away without waiting for the leases.  The fences rise, so that a worker
--      who was only believed dead can settle nothing.  Three such ends make a
--      job fail with job_crashed.
--
-- Returns:  job_id, tenant_id, queue, state, _events (all in the first row)
-- Raises:   nothing
-- Writes:   podi.job, podi.attempt, podi.task_header, the wallet tables for
--           what ends, podi.user_head, podi.user_event, podi.worker
-- Called:   workers/skeleton (the parent)
-- ----------------------------------------------------------------------
create or replace function sys.worker_gone(i_worker text)
returns table (
    job_id     uuid,
    tenant_id  uuid,
    queue      text,
    state      text,
    _events    jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_ids     uuid[];
    v_events  jsonb;
begin
    delete from worker w where w.worker = i_worker;

    select array_agg(j.job_id) into v_ids
      from job j
     where j.state = 'running' and j.worker = i_worker;

    perform internal.job_lock(v_ids);

    select array_agg(j.job_id) into v_ids
      from job j
     where j.job_id = any (v_ids) and j.state = 'running'
           and j.worker = i_worker;

    v_events := internal.job_take_back(v_ids, 'crashed', 'job_crashed',
                                       'the worker process died');

    return query select s.* from internal.job_states(v_ids, v_events) s;
end
$$;
