-- ----------------------------------------------------------------------
-- internal.invariant_quota(from, to)
--
--      Whether tasks, of those behind from and up to to, hold of budgets what
--      they may take.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
--           I17  what its open jobs may take, and nothing once it has ended
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.invariant_task
--
--      Of tokens only the end is known: the estimate is the action's of then.
-- ----------------------------------------------------------------------
create or replace function internal.invariant_quota(
    i_from  podi.row_place,
    i_to    podi.row_place)
returns table (inv text, id text)
language sql stable
as $$
    select 'I17 task holds of budgets what it may take',
           concat_ws(' ', h.task_id, h.meter, h.period)
      from podi.quota_hold h
      left join podi.task_header t
        on t.task_id = h.task_id and t.tenant_id = h.tenant_id
     cross join lateral (
           select count(*) as jobs,
                  coalesce(sum(j.price - j.confirmed), 0) as price
             from podi.job j
            where j.task_id = h.task_id and j.tenant_id = h.tenant_id
                  and j.settled_fence is null) s
     where h.open and h.task_id > (i_from).a and h.task_id <= (i_to).a
           and ((t.jobs_open > 0) is not true
                or h.reserved <> case h.meter when 'points' then s.price
                                              when 'calls' then s.jobs
                                              when 'tokens' then h.reserved
                                              else 1 end)
$$;
