-- ----------------------------------------------------------------------
-- sys.plan_list()
--
--      The plans, and how many tenants have each.
--
-- Returns:  plan, weight, tenant_slots, user_slots, low_points, quotas,
--           interactive, tenants
-- Raises:   nothing
-- Writes:   nothing
-- Called:   whatever the operator uses
-- ----------------------------------------------------------------------
drop function if exists sys.plan_list();
create or replace function sys.plan_list()
returns table (
    plan          text,
    weight        smallint,
    tenant_slots  int,
    user_slots    int,
    low_points    bigint,
    quotas        jsonb,
    interactive   boolean,
    tenants       bigint)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select p.plan, p.weight, p.tenant_slots, p.user_slots, p.low_points, p.quotas,
           p.interactive,
           (select count(*) from tenant t where t.plan = p.plan)
      from plan p
     order by p.plan;
end
$$;
