-- ----------------------------------------------------------------------
-- internal.quota_bounds(tenant, user)
--
--      The budgets that hold for a user now, one for each scope, meter and
--      period: his own before that of everybody, the tenant's before its
--      plan's.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.quota_bound, in the order in which quota_use is locked
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.quota_reserve, api.quota_list
--
--      A period is that of the transaction, in the time zone of the tenant.
-- ----------------------------------------------------------------------
create or replace function internal.quota_bounds(i_tenant uuid, i_user uuid)
returns setof podi.quota_bound
language sql stable
as $$
    with b as (
        select q.scope, q.meter, q.period, q.most,
               case when q.user_id is null then 2 else 1 end as rank
          from podi.quota q
         where q.tenant_id = i_tenant
               and (q.user_id is null or q.user_id = i_user)
        union all
        select d.scope, d.meter, d.period, d.most, 3
          from podi.tenant t
          join podi.plan p on p.plan = t.plan
         cross join lateral jsonb_to_recordset(p.quotas)
               as d (scope text, meter text, period text, most bigint)
         where t.tenant_id = i_tenant
    ), f as (
        select distinct on (b.scope, b.meter, b.period) b.*,
               case b.scope when 'tenant' then i_tenant else i_user end
                   as subject
          from b
         order by b.scope, b.meter, b.period, b.rank, b.most
    )
    select f.scope, f.subject, f.meter, f.period, f.most,
           coalesce(s.at, '-infinity'),
           (s.at at time zone t.time_zone
            + make_interval(months => (f.period = 'month')::int,
                            days => (f.period = 'day')::int))
               at time zone t.time_zone
      from f
      join podi.tenant t on t.tenant_id = i_tenant
     cross join lateral (
           select case when f.period <> 'none'
                  then date_trunc(f.period, now(), t.time_zone) end as at) s
     order by f.subject, f.meter, f.period
$$;
