-- ----------------------------------------------------------------------
-- internal.job_end(ids, state, code, detail, outcome, bump)
--
--      Ends any number of open jobs at no charge: everything that was frozen
--      for them is given back, and tasks without an open job end too.
--      The caller holds the locks of the tasks and the jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, what event_append_all shall append: of each user first
--           the jobs, then the money, then the tasks
-- Raises:   U0421 a hold has less left than its jobs cost
-- Writes:   podi.job, podi.attempt, podi.task_header, podi.media, the wallet
--           tables for jobs with a price
-- Called:   internal.task_stop, sys.job_expire, internal.job_give_back
--
--      outcome is what becomes of the attempts that were running.  bump = 1
--      makes the end one that no holder knows a fence for, so that a holder
--      who comes late is told STALE.
-- ----------------------------------------------------------------------
create or replace function internal.job_end(
    i_ids      uuid[],
    i_state    text,
    i_code     text,
    i_detail   text,
    i_outcome  text,
    i_bump     int)
returns jsonb
language plpgsql
as $$
declare
    v_now   timestamptz := clock_timestamp();
    v_job   record;
    v_more  jsonb := '[]';
begin
    with j as (
        update podi.job q
           set state = i_state, fence = q.fence + i_bump,
               settled_fence = q.fence + i_bump, charged = 0,
               crashes = q.crashes + (i_outcome in ('crashed', 'lost'))::int,
               error_code = i_code, error_detail = i_detail,
               lease_until = null, worker = null, ended_at = v_now
         where q.job_id = any (i_ids) and q.state in ('queued', 'running')
        returning q.tenant_id, q.task_id, q.job_id
    ), a as (
        update podi.attempt t
           set outcome = i_outcome, error_code = i_code, ended_at = v_now
          from j
         where t.job_id = j.job_id and t.tenant_id = j.tenant_id
               and t.outcome = 'running'
    )
    update podi.task_header t
       set jobs_open = t.jobs_open - d.n,
           jobs_cancelled = t.jobs_cancelled + d.cancelled,
           state = case t.jobs_open when d.n
                   then internal.task_outcome(t.jobs_total, t.jobs_succeeded,
                                              t.jobs_cancelled + d.cancelled)
                   else t.state end,
           ended_at = case t.jobs_open when d.n then v_now end
      from (select j.tenant_id, j.task_id, count(*)::int as n,
                   case i_state when 'cancelled' then count(*)::int else 0 end
                       as cancelled
              from j group by j.tenant_id, j.task_id) d
     where t.task_id = d.task_id and t.tenant_id = d.tenant_id;

    perform internal.wallet_lock(i_ids);

    for v_job in
        select j.tenant_id, j.user_id, j.task_id, j.job_id, j.action, j.price,
               j.inputs, t.hold_id
          from podi.job j
         cross join lateral (
               select h.* from podi.task_header h
                where h.task_id = j.task_id and h.tenant_id = j.tenant_id
                limit 1) t
         where j.job_id = any (i_ids) and (j.price > 0 or t.kind = 'system')
         order by j.job_id
    loop
        v_more := v_more || internal.job_end_effects(v_job.tenant_id,
            v_job.user_id, v_job.task_id, v_job.job_id, v_job.action,
            v_job.price, v_job.inputs[1], v_job.hold_id, i_code);
    end loop;

    return internal.job_end_events(i_ids, v_more);
end
$$;
