-- ----------------------------------------------------------------------
-- internal.job_reopen(task, hold)
--
--      Makes the jobs of a task that failed or were cancelled what they were
--      at first, but for what is paid and the segments that are finished.  A
--      result that a job needs and that is there is kept as its input.  The
--      fence rises: whoever held one of them is told STALE.
--      The caller holds the locks of the task and the jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  uuid[], the jobs that are queued
-- Raises:   U0409 a job needs a result of one that succeeded and made none
-- Writes:   podi.job
-- Called:   internal.task_reopen
-- ----------------------------------------------------------------------
create or replace function internal.job_reopen(
    i_task  podi.task_header,
    i_hold  bigint)
returns uuid[]
language plpgsql
as $$
declare
    v_now  timestamptz := greatest(i_task.start_at, clock_timestamp());
    v_ids  uuid[];
begin
    with j as (
        update podi.job q
           set state = case when f.open > 0 then 'blocked' else 'queued' end,
               needs_open = f.open, confirmed = q.charged, charged = null,
               hold_id = case when q.price > q.charged then i_hold end,
               inputs = array(
                   select case when f.given ? i.n::text
                               then (f.given ->> i.n::text)::uuid
                               else q.inputs[i.n] end
                     from generate_series(1, cardinality(q.inputs)) i (n)
                    order by i.n),
               fence = q.fence + 1, attempts = 0, crashes = 0, deferrals = 0,
               progress = 0, cancel_requested = false, set_aside = false,
               settled_fence = null, results_digest = null, error_code = null,
               error_detail = null, pushed_at = null, started_at = null,
               ended_at = null, not_before = v_now,
               start_by = least(i_task.deadline_at, v_now
                                + a.max_wait_ms * interval '1 millisecond')
          from podi.job p
          join podi.action a on a.action = p.action
         cross join lateral internal.job_regain(p.tenant_id, p.task_id,
                                                p.job_id) f
         where p.task_id = i_task.task_id and p.tenant_id = i_task.tenant_id
               and p.state in ('failed', 'cancelled')
               and q.job_id = p.job_id and q.tenant_id = p.tenant_id
        returning q.job_id, q.state, f.empty)
    select case when bool_or(j.empty) then null
           else coalesce(array_agg(j.job_id) filter (where j.state = 'queued'),
                         '{}') end
      into v_ids
      from j;

    if v_ids is null then
        raise exception 'a job needs what another one never made'
              using errcode = 'U0409';
    end if;
    return v_ids;
end
$$;
