-- ----------------------------------------------------------------------
-- sys.job_beat(worker, ids, fences, lease, progress)
--
--      Extends the leases of what a worker holds, all in one statement, and
--      notes how far each job is.
--
-- Returns:  job_id, fence, cancel_requested, for the jobs that it still holds;
--           a job that does not come back is lost: stop it, settle nothing
-- Raises:   nothing
-- Writes:   podi.job; for what goes back podi.attempt, podi.user_head,
--           podi.user_event, and what internal.job_end_all writes
-- Called:   workers/skeleton
--
--      progress: {job_id: percent}; what is no percentage is bent or ignored,
--      because an error would cost all leases.  A beat is no fact, so its
--      commit does not wait for the disk.
--
--      A claim whose answer was lost leaves jobs that the worker does not know
--      of.  What it was handed half a lease ago, and has not named since, goes
--      back to the queue, and that counts as nothing.
--      What runs has a lease; asking for that keeps the planner from the index
--      of all that a worker runs, when the ids are known.
-- ----------------------------------------------------------------------
drop function if exists sys.job_beat(text, uuid[], int[], bigint, jsonb);
create or replace function sys.job_beat(
    i_worker    text,
    i_ids       uuid[],
    i_fences    int[],
    i_lease_ms  bigint,
    i_progress  jsonb)
returns table (job_id uuid, fence int, cancel_requested boolean)
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_half  timestamptz := clock_timestamp()
                           + i_lease_ms * interval '0.5 milliseconds';
    v_lost  uuid[];
begin
    select array_agg(j.job_id) into v_lost
      from job j
     where j.state = 'running' and j.worker = i_worker
           and j.lease_until < v_half and not (j.job_id = any (i_ids));

    if v_lost is null then
        perform set_config('synchronous_commit', 'off', true);
    else
        perform internal.job_lock(i_ids || v_lost);
        perform internal.job_take_back(
                    array(select j.job_id from job j
                           where j.job_id = any (v_lost) and j.worker = i_worker
                                 and j.lease_until < v_half),
                    'return', null, null);
    end if;

    return query
    with c as (
        select j.tenant_id, j.job_id
          from job j
          join unnest(i_ids, i_fences) x (id, fence)
            on j.job_id = x.id and j.fence = x.fence
         where j.lease_until is not null and j.worker = i_worker
         order by j.job_id
           for no key update of j
    )
    update job j
       set lease_until = clock_timestamp() + i_lease_ms * interval '1 millisecond',
           progress = greatest(j.progress, case
                      jsonb_typeof(i_progress -> j.job_id::text) when 'number'
                      then least(100, greatest(0,
                           (i_progress -> j.job_id::text)::numeric))::smallint end)
      from c
     where j.job_id = c.job_id and j.tenant_id = c.tenant_id
    returning j.job_id, j.fence, j.cancel_requested;
end
$$;
