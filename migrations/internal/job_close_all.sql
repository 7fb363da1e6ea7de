-- ----------------------------------------------------------------------
-- internal.job_close_all(ends)
--
--      Ends open jobs, with their attempts, and counts them off their tasks;
--      the last one ends its task.  The caller holds the locks of both.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job_done[], those of a task with the task as it is then
-- Raises:   nothing
-- Writes:   podi.job, podi.attempt, podi.task_header
-- Called:   internal.job_end_all
--
--      What a job costs is decided here: the price when it succeeded, or when
--      `whole` says so; else what its finished segments have cost already.
--      The outcome none is of what never ran: it does not end what has begun to
--      run meanwhile.
--      What an attempt leaves elsewhere, internal.remote_after says.
--      A fence that rises (bump) makes an end that no holder knows a fence
--      for, so that a holder who comes late is told STALE.
-- ----------------------------------------------------------------------
create or replace function internal.job_close_all(i_ends podi.job_end[])
returns podi.job_done[]
language plpgsql
as $$
declare
    v_now   timestamptz := clock_timestamp();
    v_done  podi.job_done[];
begin
    with j as (
        update podi.job q
           set state = e.state, fence = q.fence + e.bump,
               settled_fence = q.fence + e.bump, set_aside = e.aside,
               charged = case when e.state = 'succeeded' or e.whole
                         then q.price else q.confirmed end,
               crashes = q.crashes + (e.outcome in ('crashed', 'lost'))::int,
               results_digest = e.digest, error_code = e.code,
               error_detail = e.detail, lease_until = null, worker = null,
               progress = case e.state when 'succeeded' then 100
                          else q.progress end, ended_at = v_now
          from unnest(i_ends) e
         where q.job_id = e.job_id and q.settled_fence is null
               and (e.outcome <> 'none' or q.state in ('blocked', 'queued'))
        returning q.*, e.ord as nth, e.outcome, e.bump, e.results, e.media,
                  e.usage, e.cost_micros
    ), a as (
        update podi.attempt t
           set outcome = j.outcome, error_code = j.error_code, ended_at = v_now,
               usage = t.usage || coalesce(j.usage, '{}'),
               cost_micros = coalesce(j.cost_micros, t.cost_micros),
               remote_state = internal.remote_after(t, j.outcome)
          from j
         where t.job_id = j.job_id and t.fence = j.fence - j.bump
               and t.tenant_id = j.tenant_id and t.outcome = 'running'
    ), t as (
        update podi.task_header h
           set jobs_open = h.jobs_open - d.n,
               jobs_succeeded = h.jobs_succeeded + d.ok,
               jobs_cancelled = h.jobs_cancelled + d.gone,
               charged = h.charged + d.charged,
               state = case h.jobs_open when d.n
                       then internal.task_outcome(h.jobs_total,
                                h.jobs_succeeded + d.ok,
                                h.jobs_cancelled + d.gone)
                       else h.state end,
               ended_at = case h.jobs_open when d.n then v_now end
          from (select j.tenant_id, j.task_id, count(*)::int as n,
                       count(*) filter (where j.state = 'succeeded')::int as ok,
                       count(*) filter (where j.state = 'cancelled')::int as gone,
                       sum(j.charged - j.confirmed)::bigint as charged
                  from j group by j.tenant_id, j.task_id) d
         where h.task_id = d.task_id and h.tenant_id = d.tenant_id
        returning h.*
    )
    select array_agg((j.nth, j.tenant_id, j.user_id, j.task_id, j.job_id,
               j.state, j.action, j.inputs[1], j.error_code, j.price,
               j.confirmed, j.charged, j.settled_fence,
               coalesce(j.hold_id, t.hold_id), j.results, j.media, t.trace_id,
               t.kind, t.state, t.jobs_total, t.jobs_open, t.jobs_succeeded,
               t.price, t.charged)::podi.job_done order by j.nth, j.ord)
      into v_done
      from j join t on t.task_id = j.task_id and t.tenant_id = j.tenant_id;

    return v_done;
end
$$;
