-- ----------------------------------------------------------------------
-- internal.job_failure(job)
--
--      How a job failed, for its user, without words: nginx puts those in, in
--      the language of the request.  A job that was cancelled has failed when
--      the failure of another one did it, and not its user.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb {code, returned, kept (points of the last settlement; a
--           refund by the operator stands in the ledger), from_segment, bar
--           (internal.task_retry_bar)}; NULL when it has not failed
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.task_jobs
-- ----------------------------------------------------------------------
create or replace function internal.job_failure(i_job podi.job)
returns jsonb
language plpgsql stable
as $$
begin
    if i_job.state = 'cancelled' then
        if i_job.error_code = 'job_cancelled' or not exists (
              select 1 from podi.job j
               where j.task_id = i_job.task_id
                     and j.tenant_id = i_job.tenant_id and j.state = 'failed')
        then
            return null;
        end if;

    elsif i_job.state <> 'failed' then
        return null;
    end if;

    return jsonb_build_object(
        'code', coalesce(i_job.error_code, 'internal'),
        'returned', i_job.price - i_job.charged, 'kept', i_job.charged,
        'from_segment', i_job.segment,
        'bar', internal.task_retry_bar(i_job.tenant_id, i_job.task_id));
end
$$;
