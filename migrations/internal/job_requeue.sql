-- ----------------------------------------------------------------------
-- internal.job_requeue(backs)
--
--      Puts running jobs back into the queue.  The caller holds the locks of
--      the jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, a job.delayed for each job of a user, for event_append_all
-- Raises:   nothing
-- Writes:   podi.job, podi.attempt
-- Called:   internal.job_give_back
--
--      kind      attempts  crashes  deferrals  fence  time to start in
--      attempt      .         .         .        .    anew
--      deferral    -1         .        +1        .    as it was
--      return      -1         .         .        .    anew
--      crashed     -1        +1         .       +1    anew
--      lost        -1        +1         .       +1    anew
--
--      The claim counted an attempt; only a real one is kept.  A deferral does
--      not buy time: who is put off for ever expires; and nothing moves the
--      deadline of the task.  Of deferrals in a row the first two are told.
-- ----------------------------------------------------------------------
create or replace function internal.job_requeue(i_backs podi.job_back[])
returns jsonb
language plpgsql
as $$
declare
    v_now     timestamptz := clock_timestamp();
    v_events  jsonb;
begin
    with j as (
        update podi.job q
           set state = 'queued', lease_until = null, worker = null,
               pushed_at = null, progress = 0, not_before = v_now + b.delay,
               attempts = q.attempts - (b.kind <> 'attempt')::int,
               deferrals = q.deferrals + (b.kind = 'deferral')::int,
               crashes = q.crashes + b.gone, fence = q.fence + b.gone,
               start_by = case b.kind when 'deferral' then q.start_by
                          else least(h.deadline_at, v_now + b.delay
                               + a.max_wait_ms * interval '1 millisecond') end
          from (select x.*, (x.kind in ('crashed', 'lost'))::int as gone
                  from unnest(i_backs) x) b,
               podi.action a, podi.task_header h
         where q.job_id = b.job_id and q.state = 'running'
               and a.action = q.action
               and h.task_id = q.task_id and h.tenant_id = q.tenant_id
        returning q.tenant_id, q.user_id, q.task_id, q.job_id, q.ord, q.action,
                  q.inputs, q.not_before, q.fence, q.deferrals, h.kind,
                  h.trace_id, b.kind as why, b.code
    ), t as (
        update podi.attempt t
           set ended_at = v_now, error_code = j.code,
               outcome = case j.why when 'attempt'  then 'retried'
                                    when 'deferral' then 'deferred'
                                    when 'return'   then 'returned'
                                    else j.why end
          from j
         where t.job_id = j.job_id and t.tenant_id = j.tenant_id
               and t.outcome = 'running'
    )
    select jsonb_agg(jsonb_build_object(
               'tenant_id', j.tenant_id, 'user_id', j.user_id,
               'type', 'job.delayed', 'task_id', j.task_id,
               'job_id', j.job_id, 'trace_id', j.trace_id,
               'data', jsonb_build_object(
                   'action', j.action, 'input', j.inputs[1],
                   'reason', coalesce(j.code, j.why),
                   'retry_at', internal.rfc3339(j.not_before)))
               order by j.task_id, j.ord)
      into v_events
      from j
     where j.kind = 'user'
           and not (j.why = 'deferral' and internal.job_is_quiet(
                        j.job_id, j.fence, j.deferrals - 1));

    return coalesce(v_events, '[]');
end
$$;
