-- ----------------------------------------------------------------------
-- internal.job_fallout(ends)
--
--      What falls with jobs that do not succeed: who needs them, and who needs
--      those; and in a task that stops at a failure, whatever has not started.
--      The caller holds the locks of the tasks.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job_end[]: the given ones and those that fall: failed when
--           something they need failed, cancelled otherwise; both with
--           dependency_failed
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.job_end_all
-- ----------------------------------------------------------------------
create or replace function internal.job_fallout(i_ends podi.job_end[])
returns podi.job_end[]
language plpgsql
as $$
declare
    v_end   podi.job_end;
    v_some  boolean;
    v_fall  podi.job_end[];
begin
    foreach v_end in array i_ends loop
        v_some := v_end.state <> 'succeeded';
        exit when v_some;
    end loop;
    if v_some is not true then
        return i_ends;
    end if;

    with recursive f as (
        select e.ord, e.job_id, e.state, false as more
          from unnest(i_ends) e
         where e.state <> 'succeeded'
        union
        select f.ord, x.job_id, f.state, true
          from f
         cross join lateral (
               select n.job_id
                 from podi.job_need n
                 join podi.job j
                   on j.job_id = n.job_id and j.tenant_id = n.tenant_id
                where n.needs_job_id = f.job_id and j.state = 'blocked') x
    ), s as (
        select f.ord, f.job_id, f.state from f where f.more
        union all
        select f.ord, j.job_id, 'cancelled'
          from f
          join podi.job o on o.job_id = f.job_id
         cross join lateral (
               select h.* from podi.task_header h
                where h.task_id = o.task_id and h.tenant_id = o.tenant_id
                limit 1) t
          join podi.job j on j.task_id = t.task_id and j.tenant_id = t.tenant_id
         where f.state = 'failed' and t.on_failure = 'stop'
               and j.state in ('blocked', 'queued')
    )
    select array_agg((d.ord, d.job_id, d.state, 'none', 1, false, false,
                      null, null, null, 'dependency_failed',
                      case d.state when 'failed' then 'a job it needs failed'
                      else 'another job of the task did not succeed' end,
                      null, null, null, null)::podi.job_end
                     order by d.ord, d.job_id)
      into v_fall
      from (select s.job_id, min(s.ord) as ord, max(s.state) as state
              from s
             where not exists (select 1 from unnest(i_ends) e
                                where e.job_id = s.job_id)
             group by s.job_id) d;

    return i_ends || v_fall;
end
$$;
