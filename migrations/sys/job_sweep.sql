-- ----------------------------------------------------------------------
-- sys.job_sweep(limit)
--
--      Takes jobs away from workers that stopped beating: as worker_gone, for
--      leases that have run out.  Passes over what is locked; comes again.
--
-- Returns:  job_id, tenant_id, queue, state, _events (all in the first row)
-- Raises:   nothing
-- Writes:   podi.job, podi.attempt, podi.task_header, the wallet tables for
--           what ends, podi.user_head, podi.user_event
-- Called:   podi_dispatchd
-- ----------------------------------------------------------------------
create or replace function sys.job_sweep(i_limit int)
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
    v_now     timestamptz := clock_timestamp();
    v_ids     uuid[];
    v_events  jsonb;
begin
    select array_agg(s.job_id) into v_ids
      from (select j.job_id
              from job j
             where j.state = 'running' and j.lease_until < v_now
             order by j.lease_until
             limit i_limit) s;
    if v_ids is null then
        return;
    end if;

    v_ids := internal.job_lock_idle(v_ids);

    -- read again under the lock: a beat may have come, or a settle
    select array_agg(j.job_id) into v_ids
      from job j
     where j.job_id = any (v_ids) and j.state = 'running'
           and j.lease_until < v_now;

    v_events := internal.job_take_back(v_ids, 'lost', 'job_crashed',
                                       'the lease ran out');

    return query select s.* from internal.job_states(v_ids, v_events) s;
end
$$;
