-- ----------------------------------------------------------------------
-- internal.job_start(ids, worker, lease)
--
--      Hands the queued and due ones of these jobs to a worker: a new fence, a
--      lease, an attempt row; the first job of a task sets it running.
--      The caller holds the locks of those of their tasks that are 'queued'.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  claims podi.claim[], what the worker needs to know about the jobs
--           that were handed out, by their ids; NULL: none were
--           events jsonb, what event_append_all shall append
-- Raises:   nothing
-- Writes:   podi.job, podi.attempt, podi.task_header
-- Called:   internal.job_claims
--
--      The state is asked for by what it is not: "state = 'queued'" would let
--      the planner read a whole partial index of the queue, when it was
--      analysed while that was empty, instead of looking the ids up.
--
--      Jobs are waited for, not skipped: a hint that met the short lock of
--      job_pushed would be lost until the dispatcher's next full round.
-- ----------------------------------------------------------------------
drop function if exists internal.job_start(uuid[], text, bigint);
create or replace function internal.job_start(
    i_ids       uuid[],
    i_worker    text,
    i_lease_ms  bigint,
    out claims  podi.claim[],
    out events  jsonb)
language plpgsql
as $$
declare
    v_now  timestamptz := clock_timestamp();
begin
    with c as (
        select q.tenant_id, q.job_id
          from podi.job q
         where q.job_id = any (i_ids)
               and q.state not in ('blocked', 'running', 'succeeded', 'failed',
                                   'cancelled') and not q.cancel_requested
               and q.not_before <= v_now and q.start_by > v_now
         order by q.job_id for no key update
    ), j as (
        update podi.job q
           set state = 'running', fence = q.fence + 1, worker = i_worker,
               attempts = q.attempts + 1, progress = 0,
               lease_until = v_now + i_lease_ms * interval '1 millisecond',
               started_at = coalesce(q.started_at, v_now)
          from c
         where q.job_id = c.job_id and q.tenant_id = c.tenant_id
        returning q.*
    ), a as (
        insert into podi.attempt (tenant_id, job_id, fence, worker, started_at)
        select j.tenant_id, j.job_id, j.fence, i_worker, v_now from j
    ), t as (
        update podi.task_header h set state = 'running', started_at = v_now
          from (select distinct j.tenant_id, j.task_id from j) s
         where h.task_id = s.task_id and h.tenant_id = s.tenant_id
               and h.state = 'queued'
        returning h.*
    ), e as (
        select t.user_id, t.task_id, -1 as ord, null::podi.claim as claim,
               internal.event_made('task.running', t.tenant_id, t.user_id,
                   t.task_id, null, t.trace_id,
                   jsonb_build_object('jobs', t.jobs_total)) as event
          from t
         where t.kind = 'user'
        union all
        select j.user_id, j.task_id, j.ord,
               (j.job_id, j.fence, j.tenant_id, j.user_id, j.task_id, j.action,
                j.params,
                f.inputs, j.attempts, j.max_attempts, x.timeout_ms, j.price,
                h.trace_id, h.kind, j.priority, j.segment, j.checkpoint,
                internal.job_scopes(j.queue, j.action, j.tenant_id, j.user_id,
                                    x.gates), '[]')::podi.claim,
               case when h.kind = 'user' and not internal.job_is_quiet(
                   j.job_id, j.fence, j.deferrals) then internal.event_made(
                   'job.running', j.tenant_id, j.user_id, j.task_id, j.job_id,
                   h.trace_id, jsonb_build_object('action', j.action,
                       'input', j.inputs[1], 'attempt', j.attempts)) end
          from j
          join podi.task_header h using (task_id, tenant_id)
          join podi.action x on x.action = j.action
         cross join lateral internal.job_files(j.tenant_id, j.inputs) f
    )
    select array_agg(e.claim order by (e.claim).job_id) filter (where ord >= 0),
           coalesce(jsonb_agg(e.event order by e.user_id, e.task_id, e.ord)
                    filter (where e.event is not null), '[]')
      into claims, events
      from e;
end
$$;
