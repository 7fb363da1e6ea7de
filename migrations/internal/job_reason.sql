-- ----------------------------------------------------------------------
-- internal.job_reason(job)
--
--      Why a job was put off: what its last holder said.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  an error code; start_at when it was never held
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.job_explain, sys.job_remote
-- ----------------------------------------------------------------------
create or replace function internal.job_reason(i_job uuid)
returns text
language plpgsql
as $$
begin
    return coalesce((select coalesce(a.error_code, a.outcome)
                       from podi.attempt a
                      where a.job_id = i_job
                      order by a.fence desc
                      limit 1), 'start_at');
end
$$;
