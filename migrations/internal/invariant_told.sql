-- ----------------------------------------------------------------------
-- internal.invariant_told(from, to)
--
--      I8 of internal.invariant_task: each job of these tasks is told of as
--      often as it ended.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.invariant_task
-- ----------------------------------------------------------------------
create or replace function internal.invariant_told(
    i_from  podi.row_place,
    i_to    podi.row_place)
returns table (inv text, id text)
language sql stable
as $$
    select 'I8 one terminal event per job', j.job_id::text
      from podi.job j
      join podi.task_header t
        on t.task_id = j.task_id and t.tenant_id = j.tenant_id
      join podi.user_head u
        on u.tenant_id = j.tenant_id and u.user_id = j.user_id
      left join podi.user_event f
        on f.tenant_id = u.tenant_id and f.user_id = u.user_id
           and f.seq = u.floor + 1
      left join lateral (
           select count(*) filter (where e.type = 'job.' || j.state) as same,
                  count(*) as n
             from podi.user_event e
            where e.tenant_id = j.tenant_id and e.task_id = j.task_id
                  and e.job_id = j.job_id
                  and e.type in ('job.succeeded', 'job.failed',
                                 'job.cancelled')) e on true
     cross join lateral (
           select (j.settled_fence is not null)::int as due) s
     where j.task_id > (i_from).a and j.task_id <= (i_to).a
           and ((t.kind = 'user'
                 and case t.round when 1 then (e.n, e.same) <> (s.due, s.due)
                     else e.n > t.round or e.same < s.due end
                 and (u.floor = 0 or j.ended_at is null or j.ended_at > f.at))
                or (t.kind = 'system' and e.n > 0))
$$;
