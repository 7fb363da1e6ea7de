-- ----------------------------------------------------------------------
-- internal.job_lock(ids)
--
--      Locks jobs together with their tasks, in the one order: the tasks
--      ascending, then the jobs ascending.  Waits.  What state the jobs are in
--      the caller reads afterwards, when it cannot change any more.
--      The tasks are named by an array, so that the planner looks them up: to
--      a join it may prefer to read all tasks that there are.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.job_retry, sys.job_return, sys.worker_gone
-- ----------------------------------------------------------------------
create or replace function internal.job_lock(i_ids uuid[])
returns void
language plpgsql
as $$
declare
    v_tasks  uuid[];
begin
    select array_agg(j.task_id) into v_tasks
      from podi.job j
     where j.job_id = any (i_ids);

    perform 1
       from podi.task_header t
      where t.task_id = any (v_tasks)
      order by t.task_id, t.tenant_id
        for no key update;

    perform 1
       from podi.job j
      where j.job_id = any (i_ids)
      order by j.job_id, j.tenant_id
        for no key update;
end
$$;
