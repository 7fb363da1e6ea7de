-- ----------------------------------------------------------------------
-- internal.job_lock_idle(ids)
--
--      Like job_lock, but passes over what somebody else has locked: for
--      sweeps, which come again.  Of a task that stops when a job fails, what
--      is queued falls with the job: unless all of that is locked, too, the
--      task is passed over.
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
    v_stop   uuid[];
    v_jobs   uuid[];
begin
    select array_agg(j.task_id) into v_tasks
      from podi.job j
     where j.job_id = any (i_ids);

    select array_agg(s.task_id),
           array_agg(s.task_id) filter (where s.on_failure = 'stop')
      into v_tasks, v_stop
      from (select t.task_id, t.on_failure
              from podi.task_header t
             where t.task_id = any (v_tasks)
             order by t.task_id, t.tenant_id
               for no key update skip locked) s;

    select array_agg(s.job_id) into v_jobs
      from (select j.job_id
              from podi.job j
             where j.job_id = any (i_ids || array(
                   select q.job_id from podi.job q
                    where q.task_id = any (v_stop) and q.state = 'queued'))
                   and j.task_id = any (v_tasks)
             order by j.job_id, j.tenant_id
               for no key update skip locked) s;

    return array(
        select j.job_id
          from podi.job j
         where j.job_id = any (i_ids) and j.job_id = any (v_jobs)
               and not exists (
                   select 1 from podi.job q
                    where q.task_id = j.task_id and q.tenant_id = j.tenant_id
                          and q.task_id = any (v_stop) and q.state = 'queued'
                          and q.job_id <> all (v_jobs)));
end
$$;
