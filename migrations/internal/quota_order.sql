-- ----------------------------------------------------------------------
-- internal.quota_order(task, price, plan)
--
--      Reserves for a new task of the entered user what its order may take of
--      the budgets that hold for him.  One look when there are none.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0433 as internal.quota_reserve
-- Writes:   podi.quota_use, podi.quota_hold
-- Called:   internal.task_make
-- ----------------------------------------------------------------------
create or replace function internal.quota_order(
    i_task   uuid,
    i_price  bigint,
    i_plan   podi.job_plan[])
returns void
language plpgsql
as $$
begin
    if exists (select 1 from podi.quota q
                where q.tenant_id = internal.tenant())
       or exists (select 1 from podi.plan p
                   where p.plan = i_plan[1].plan and p.quotas <> '[]')
    then
        perform internal.quota_reserve(internal.tenant(), internal.user_id(),
            i_task, i_price, cardinality(i_plan),
            (select sum(a.tokens)::bigint
               from unnest(i_plan) p
               join podi.action a on a.action = p.action));
    end if;
end
$$;
