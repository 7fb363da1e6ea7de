-- ----------------------------------------------------------------------
-- sys.job_return(ids, fences, usages, costs)
--
--      A worker that stops gives back what it has not finished: at once, and
--      the attempts do not count.  What they used and cost is kept with them,
--      see internal.attempt_used.
--
-- Returns:  job_id, tenant_id, queue, state (queued, or cancelled when the
--           user had asked for that), _events (all of them in the first row);
--           nothing for a job that the worker did not hold any more
-- Raises:   nothing
-- Writes:   podi.job, podi.attempt, podi.task_header, the wallet tables for
--           what ends, podi.user_head, podi.user_event
-- Called:   workers/skeleton
-- ----------------------------------------------------------------------
create or replace function sys.job_return(
    i_ids     uuid[],
    i_fences  int[],
    i_usages  jsonb default null,
    i_costs   bigint[] default null)
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
    v_usages  jsonb;
    v_costs   bigint[];
    v_events  jsonb;
begin
    perform internal.job_lock(i_ids);

    select array_agg(j.job_id),
           jsonb_agg(i_usages -> (x.n - 1)::int) filter (where i_usages is not null),
           array_agg(i_costs[x.n]) filter (where i_costs is not null)
      into v_ids, v_usages, v_costs
      from job j
      join unnest(i_ids, i_fences) with ordinality x (id, fence, n)
        on j.job_id = x.id and j.fence = x.fence
     where j.state = 'running';

    perform internal.attempt_used(v_ids, v_usages, v_costs);

    v_events := internal.event_append_all(internal.job_give_back(
                    v_ids, 'return', interval '0', null, null));

    return query select s.* from internal.job_states(v_ids, v_events) s;
end
$$;
