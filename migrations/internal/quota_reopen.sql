-- ----------------------------------------------------------------------
-- internal.quota_reopen(tenant, user, task)
--
--      Reserves for the next round of a task: what failed or was cancelled,
--      but for what of it is paid.  The caller holds the locks of the task and
--      the jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0433 as internal.quota_reserve
-- Writes:   podi.quota_use, podi.quota_hold
-- Called:   internal.task_left
-- ----------------------------------------------------------------------
create or replace function internal.quota_reopen(
    i_tenant  uuid,
    i_user    uuid,
    i_task    uuid)
returns void
language plpgsql
as $$
declare
    v_left  record;
begin
    select sum(j.price - j.charged)::bigint as points, count(*)::int as jobs,
           sum(a.tokens)::bigint as tokens
      into v_left
      from podi.job j
      join podi.action a on a.action = j.action
     where j.task_id = i_task and j.tenant_id = i_tenant
           and j.state in ('failed', 'cancelled');

    perform internal.quota_reserve(i_tenant, i_user, i_task, v_left.points,
                                   v_left.jobs, v_left.tokens);
end
$$;
