-- ----------------------------------------------------------------------
-- internal.invariant_quota()
--
--      Whether what is reserved of budgets is what open tasks may still take;
--      all tenants.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
--           I16  a budget has reserved what tasks hold of it
--           I17  a task holds of budgets what its open jobs may take, and
--                nothing once it has ended
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.invariant_breaks
--
--      Of tokens only the end is known: the estimate is the action's of then.
-- ----------------------------------------------------------------------
create or replace function internal.invariant_quota()
returns table (inv text, id text)
language sql stable
as $$
    with held as (
        select h.tenant_id, h.subject, h.meter, h.period, h.period_start,
               sum(h.reserved) as reserved
          from podi.quota_hold h
         where h.open
         group by h.tenant_id, h.subject, h.meter, h.period, h.period_start
    )
    select 'I16 budget has reserved what tasks hold of it',
           concat_ws(' ', coalesce(u.subject, h.subject),
                     coalesce(u.meter, h.meter), coalesce(u.period, h.period))
      from podi.quota_use u
      full join held h
        on h.tenant_id = u.tenant_id and h.subject = u.subject
           and h.meter = u.meter and h.period = u.period
           and h.period_start = u.period_start
     where coalesce(u.reserved, 0) <> coalesce(h.reserved, 0)
    union all
    select 'I17 task holds of budgets what it may take',
           concat_ws(' ', h.task_id, h.meter, h.period)
      from podi.quota_hold h
      left join podi.task_header t
        on t.task_id = h.task_id and t.tenant_id = h.tenant_id
     cross join lateral (
           select count(*) as jobs, coalesce(sum(j.price - j.confirmed), 0)
                  as price
             from podi.job j
            where j.task_id = h.task_id and j.tenant_id = h.tenant_id
                  and j.settled_fence is null) s
     where h.open
           and (t.jobs_open > 0) is not true
           or h.open
           and h.reserved <> case h.meter when 'points' then s.price
                                          when 'calls' then s.jobs
                                          when 'tokens' then h.reserved
                                          else 1 end
$$;
