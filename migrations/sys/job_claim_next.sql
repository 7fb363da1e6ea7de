-- ----------------------------------------------------------------------
-- sys.job_claim_next(queue, n, worker, lease, limit)
--
--      The claim for the time without Redis, with the limits and the fairness
--      of the one with it: tenants take turns by the weight of their plans,
--      classes go one before the other, and no gate holds more than it may;
--      nor do more than limit run in that queue.
--
-- Returns:  podi.claim, see sys.job_claim
-- Raises:   nothing
-- Writes:   podi.job, podi.attempt, podi.task_header, podi.queue_turn,
--           podi.user_head, podi.user_event
-- Called:   workers/skeleton
--
--      Rates (GCRA) are Redis's alone: without it only slots bound.
-- ----------------------------------------------------------------------
drop function if exists sys.job_claim_next(text, int, text, bigint, int);
create or replace function sys.job_claim_next(
    i_queue     text,
    i_n         int,
    i_worker    text,
    i_lease_ms  bigint,
    i_limit     int)
returns setof podi.claim
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
    return query
    select * from internal.job_claims(
                      internal.claim_pick(i_queue, i_n, i_limit), i_worker,
                      i_lease_ms);
end
$$;
