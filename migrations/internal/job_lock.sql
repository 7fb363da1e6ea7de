-- ----------------------------------------------------------------------
-- internal.job_lock(ids)
--
--      Locks jobs together with their tasks, in the one order: the tasks
--      ascending, then the jobs ascending.  Waits.  What state the jobs are in
--      the caller reads afterwards, when it cannot change any more.
--      The tasks are named by an array, so that the planner looks them up: to
--      a join it may prefer to read all tasks that there are.
--      Of a task that stops when a job fails, what is queued is locked, too.
--      What is blocked needs no lock of its own: only who has its task may
--      touch it.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.job_settle, sys.job_retry, sys.worker_gone, sys.job_beat,
--           sys.job_segment
-- ----------------------------------------------------------------------
create or replace function internal.job_lock(i_ids uuid[])
returns void
language plpgsql
as $$
declare
    v_stop  uuid[];
    v_ids   uuid[] := i_ids;
begin
    select array_agg(s.task_id) filter (where s.on_failure = 'stop')
      into v_stop
      from (select t.task_id, t.on_failure
              from podi.task_header t
             where t.task_id = any (array(select j.task_id from podi.job j
                                           where j.job_id = any (i_ids)))
             order by t.task_id, t.tenant_id
               for no key update) s;

    if v_stop is not null then
        v_ids := v_ids || array(select j.job_id from podi.job j
                                 where j.task_id = any (v_stop)
                                       and j.state = 'queued');
    end if;

    perform 1
       from podi.job j
      where j.job_id = any (v_ids)
      order by j.job_id, j.tenant_id
        for no key update;
end
$$;
