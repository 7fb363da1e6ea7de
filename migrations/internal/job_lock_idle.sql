-- ----------------------------------------------------------------------
-- internal.job_lock_idle(ids)
--
--      Like job_lock, but passes over what somebody else has locked: for
--      sweeps, which come again.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  uuid[], the jobs that are now locked together with their tasks
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.job_sweep, sys.job_expire
-- ----------------------------------------------------------------------
create or replace function internal.job_lock_idle(i_ids uuid[])
returns uuid[]
language plpgsql
as $$
declare
    v_tasks  uuid[];
    v_jobs   uuid[];
begin
    select array_agg(j.task_id) into v_tasks
      from podi.job j
     where j.job_id = any (i_ids);

    select array_agg(s.task_id) into v_tasks
      from (select t.task_id
              from podi.task_header t
             where t.task_id = any (v_tasks)
             order by t.task_id, t.tenant_id
               for no key update skip locked) s;

    select array_agg(s.job_id) into v_jobs
      from (select j.job_id
              from podi.job j
             where j.job_id = any (i_ids) and j.task_id = any (v_tasks)
             order by j.job_id, j.tenant_id
               for no key update skip locked) s;

    return coalesce(v_jobs, '{}');
end
$$;
