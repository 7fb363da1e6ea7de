-- ----------------------------------------------------------------------
-- sys.job_claim(ids, worker, lease)
--
--      Turns hints into work: the ids come from Redis and may be stale or
--      named twice; what comes back is what the worker now holds, each with a
--      fence.  Who does not come back was not claimable: give its gates back.
--
-- Returns:  podi.claim: job_id, fence, tenant_id, user_id, task_id, action,
--           params, inputs jsonb [{media_id, store, object_key, type, bytes,
--           sha256, name}], attempts, max_attempts, timeout_ms, price,
--           trace_id, kind (user|system), priority; segment and checkpoint:
--           how far an earlier holder came; scopes, the gates that it is in;
--           _events (all of them in the first row)
-- Raises:   nothing
-- Writes:   podi.job, podi.attempt, podi.task_header, podi.user_head,
--           podi.user_event
-- Called:   workers/skeleton
-- ----------------------------------------------------------------------
drop function if exists sys.job_claim(uuid[], text, bigint);
create or replace function sys.job_claim(
    i_ids       uuid[],
    i_worker    text,
    i_lease_ms  bigint)
returns setof podi.claim
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
    -- tasks before jobs; a task that runs already is not written by a claim
    perform 1
       from task_header t
      where t.task_id = any (array(select j.task_id from job j
                                    where j.job_id = any (i_ids)))
            and t.state = 'queued'
      order by t.task_id, t.tenant_id
        for no key update;

    return query
    select * from internal.job_claims(i_ids, i_worker, i_lease_ms);
end
$$;
