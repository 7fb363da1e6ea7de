-- ----------------------------------------------------------------------
-- internal.job_lock(ids)
--
--      Locks jobs together with their tasks, in the one order: the tasks
--      ascending, then the jobs ascending.  Waits.  What state the jobs are in
--      the caller reads afterwards, when it cannot change any more.
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
begin
    perform 1
       from podi.task_header t
      where (t.task_id, t.tenant_id) in
            (select j.task_id, j.tenant_id from podi.job j
              where j.job_id = any (i_ids))
      order by t.task_id, t.tenant_id
        for no key update;

    perform 1
       from podi.job j
      where j.job_id = any (i_ids)
      order by j.job_id, j.tenant_id
        for no key update;
end
$$;
