-- ----------------------------------------------------------------------
-- internal.job_mine(job)
--
--      A job of a task of the entered user.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job
-- Raises:   U0404 he has no such job
-- Writes:   nothing
-- Called:   api.job_log, api.job_explain, api.job_preview, api.job_read
-- ----------------------------------------------------------------------
create or replace function internal.job_mine(i_job uuid)
returns podi.job
language plpgsql
as $$
declare
    v_job  podi.job;
begin
    select j.* into v_job
      from podi.job j
      join podi.task_header t
        on t.task_id = j.task_id and t.tenant_id = j.tenant_id
     where j.job_id = i_job and j.tenant_id = internal.tenant()
           and j.user_id = internal.user_id() and t.kind = 'user';
    if not found then
        raise exception 'no job %', i_job using errcode = 'U0404';
    end if;
    return v_job;
end
$$;
