-- ----------------------------------------------------------------------
-- api.job_read(job)
--
--      One job of the caller, as the task shows it, and who has held it.
--
-- Returns:  task_id, job jsonb (an element of internal.task_jobs, and degraded,
--           internal.job_degraded, when it is), history
--           jsonb [{attempt, outcome, error_code, started_at, ended_at}], the
--           oldest first
-- Raises:   U0404 no such job of the user
-- Writes:   nothing
-- Called:   task/ngx_http_podi_job_read.c
-- ----------------------------------------------------------------------
create or replace function api.job_read(i_job uuid)
returns table (
    task_id  uuid,
    job      jsonb,
    history  jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_job  podi.job;
begin
    perform internal.enter('user', 'admin');
    v_job := internal.job_mine(i_job);

    return query
    select v_job.task_id,
           e.value || internal.job_degraded(i_job, v_job.tenant_id),
           (select coalesce(jsonb_agg(jsonb_build_object(
                       'attempt', a.fence, 'outcome', a.outcome,
                       'error_code', a.error_code,
                       'started_at', internal.rfc3339(a.started_at),
                       'ended_at', internal.rfc3339(a.ended_at))
                       order by a.fence), '[]')
              from attempt a
             where a.job_id = i_job and a.tenant_id = v_job.tenant_id)
      from jsonb_array_elements(internal.task_jobs(v_job.tenant_id,
                                                   v_job.task_id)) e
     where e.value ->> 'job_id' = i_job::text;
end
$$;
