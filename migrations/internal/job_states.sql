-- ----------------------------------------------------------------------
-- internal.job_states(ids, events)
--
--      What has become of jobs that were taken from their holder.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  job_id, tenant_id, queue, state, _events (all in the first row)
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.job_sweep, sys.job_expire, sys.worker_gone
-- ----------------------------------------------------------------------
create or replace function internal.job_states(i_ids uuid[], i_events jsonb)
returns table (
    job_id     uuid,
    tenant_id  uuid,
    queue      text,
    state      text,
    _events    jsonb)
language sql
as $$
    select j.job_id, j.tenant_id, j.queue, j.state,
           case when row_number() over (order by j.job_id) = 1
                then i_events else '[]' end
      from podi.job j
     where j.job_id = any (i_ids)
     order by j.job_id
$$;
