-- ----------------------------------------------------------------------
-- internal.quota_reserve(tenant, user, task, points, jobs, tokens)
--
--      Reserves what a task may take: of every budget that holds for the
--      user, or of none.  The caller holds the lock of the task, or makes it.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0433 a budget has not as much left; detail scope, meter, period,
--           limit, used, reserved, asked, retry_after, and for those that
--           begin anew resets_at; retry_after of the others is 1
-- Writes:   podi.quota_use, podi.quota_hold
-- Called:   internal.quota_order, internal.quota_reopen
--
--      A job is taken for one call.  A row is also kept where nothing is
--      asked: what is used in the end is known in the end.
-- ----------------------------------------------------------------------
create or replace function internal.quota_reserve(
    i_tenant  uuid,
    i_user    uuid,
    i_task    uuid,
    i_points  bigint,
    i_jobs    int,
    i_tokens  bigint)
returns void
language plpgsql
as $$
declare
    v_bounds  podi.quota_bound[];
    v_asked   jsonb := jsonb_build_object('points', i_points, 'tasks', 1,
                           'calls', i_jobs, 'tokens', i_tokens,
                           'in_flight', 1);
begin
    v_bounds := array(select b from internal.quota_bounds(i_tenant, i_user) b);
    if v_bounds = '{}' then
        return;
    end if;

    insert into podi.quota_use (tenant_id, subject, meter, period, period_start)
    select i_tenant, b.subject, b.meter, b.period, b.period_start
      from unnest(v_bounds) b
     where not exists (
           select 1 from podi.quota_use u
            where (u.subject, u.meter, u.period, u.period_start, u.tenant_id)
                  = (b.subject, b.meter, b.period, b.period_start, i_tenant))
     order by b.subject, b.meter, b.period, b.period_start
        on conflict do nothing;

    perform 1
       from podi.quota_use u
       join unnest(v_bounds) b
         on (u.subject, u.meter, u.period, u.period_start, u.tenant_id)
            = (b.subject, b.meter, b.period, b.period_start, i_tenant)
      order by u.subject, u.meter, u.period, u.period_start
        for no key update of u;

    perform internal.quota_check(i_tenant, v_bounds, v_asked);

    update podi.quota_use u
       set reserved = u.reserved + (v_asked ->> b.meter)::bigint
      from unnest(v_bounds) b
     where (u.subject, u.meter, u.period, u.period_start, u.tenant_id)
           = (b.subject, b.meter, b.period, b.period_start, i_tenant);

    insert into podi.quota_hold as h (tenant_id, task_id, subject, meter, period,
                                      period_start, reserved)
    select i_tenant, i_task, b.subject, b.meter, b.period, b.period_start,
           (v_asked ->> b.meter)::bigint
      from unnest(v_bounds) b
        on conflict on constraint quota_hold_pkey do update
       set reserved = excluded.reserved, open = true,
           made_at = excluded.made_at;
end
$$;
