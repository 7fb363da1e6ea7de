-- ----------------------------------------------------------------------
-- sys.quota_list(tenant slug)
--
--      The budgets of a tenant and its users, and what is used of those of
--      somebody in this period.
--
-- Returns:  source (quota, plan), scope, login (* each user), meter, period,
--           most, used, reserved (NULL for each user)
-- Raises:   U0404 no such tenant
-- Writes:   nothing
-- Called:   podictl quota list
-- ----------------------------------------------------------------------
create or replace function sys.quota_list(i_slug text)
returns table (
    source    text,
    scope     text,
    login     text,
    meter     text,
    period    text,
    most      bigint,
    used      bigint,
    reserved  bigint)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
declare
    v_tenant  tenant;
begin
    select t.* into v_tenant from tenant t where t.slug = i_slug;
    if not found then
        raise exception 'no tenant %', i_slug using errcode = 'U0404';
    end if;

    return query
    select b.source, b.scope, case b.scope when 'user'
               then coalesce(n.login, '*') end,
           b.meter, b.period, b.most,
           case when s.subject is not null then coalesce(u.used, 0) end,
           case when s.subject is not null then coalesce(u.reserved, 0) end
      from (select 'quota' as source, q.scope, q.user_id, q.meter, q.period,
                   q.most
              from quota q
             where q.tenant_id = v_tenant.tenant_id
            union all
            select 'plan', d.scope, null, d.meter, d.period, d.most
              from plan p
             cross join lateral jsonb_to_recordset(p.quotas)
                   as d (scope text, meter text, period text, most bigint)
             where p.plan = v_tenant.plan) b
      left join users n
        on n.tenant_id = v_tenant.tenant_id and n.user_id = b.user_id
     cross join lateral (
           select case b.scope when 'tenant' then v_tenant.tenant_id
                               else b.user_id end as subject,
                  case b.period when 'none' then timestamptz '-infinity'
                  else date_trunc(b.period, now(), v_tenant.time_zone) end
                      as start) s
      left join quota_use u
        on u.subject = s.subject and u.meter = b.meter and u.period = b.period
           and u.period_start = s.start and u.tenant_id = v_tenant.tenant_id
     order by b.source desc, b.scope, n.login nulls first, b.meter, b.period;
end
$$;
