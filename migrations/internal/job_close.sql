-- ----------------------------------------------------------------------
-- internal.job_close(tenant, job, fence, state, charge, digest, code, detail)
--
--      Ends one running job under its fence, with its attempt, and counts it
--      off its task; the last one ends the task.  The caller holds the lock of
--      the task.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the task's new state; NULL when the fence is not the job's or the
--           job does not run
-- Raises:   23514 a charge above the price or for a job that did not succeed
-- Writes:   podi.job, podi.attempt, podi.task_header
-- Called:   sys.job_settle
-- ----------------------------------------------------------------------
create or replace function internal.job_close(
    i_tenant  uuid,
    i_job     uuid,
    i_fence   int,
    i_state   text,
    i_charge  bigint,
    i_digest  bytea,
    i_code    text,
    i_detail  text)
returns podi.task_header
language plpgsql
as $$
declare
    v_task  podi.task_header;
    v_ok    int := (i_state = 'succeeded')::int;
    v_not   int := (i_state = 'cancelled')::int;
begin
    with j as (
        update podi.job q
           set state = i_state, settled_fence = q.fence, charged = i_charge,
               results_digest = i_digest, error_code = i_code,
               error_detail = i_detail, lease_until = null, worker = null,
               progress = case v_ok when 1 then 100 else q.progress end,
               ended_at = clock_timestamp()
         where q.job_id = i_job and q.tenant_id = i_tenant
               and q.fence = i_fence and q.lease_until is not null
        returning q.task_id
    ), a as (
        update podi.attempt t
           set outcome = i_state, error_code = i_code,
               ended_at = clock_timestamp()
          from j
         where t.job_id = i_job and t.fence = i_fence
               and t.tenant_id = i_tenant
    )
    update podi.task_header t
       set jobs_open = t.jobs_open - 1,
           jobs_succeeded = t.jobs_succeeded + v_ok,
           jobs_cancelled = t.jobs_cancelled + v_not,
           charged = t.charged + i_charge,
           state = case t.jobs_open when 1
                   then internal.task_outcome(t.jobs_total,
                                              t.jobs_succeeded + v_ok,
                                              t.jobs_cancelled + v_not)
                   else t.state end,
           ended_at = case t.jobs_open when 1 then clock_timestamp() end
      from j
     where t.task_id = j.task_id and t.tenant_id = i_tenant
    returning t.* into v_task;

    return v_task;
end
$$;
