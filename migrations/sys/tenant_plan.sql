-- ----------------------------------------------------------------------
-- sys.tenant_plan(slug, plan)
--
--      Puts a tenant on a plan: its turns, its bounds and its prices from now
--      on.
--
-- Returns:  tenant_id, slug, plan
-- Raises:   U0404 no such tenant; 23503 no such plan
-- Writes:   podi.tenant, podi.audit
-- Called:   whatever the operator uses
-- ----------------------------------------------------------------------
create or replace function sys.tenant_plan(
    i_slug         text,
    i_plan         text,
    out tenant_id  uuid,
    out slug       text,
    out plan       text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    update tenant t
       set plan = i_plan
     where t.slug = i_slug
    returning t.tenant_id, t.slug, t.plan
         into tenant_id, slug, plan;
    if not found then
        raise exception 'no tenant %', i_slug using errcode = 'U0404';
    end if;

    perform internal.audit_append(tenant_id, 'tenant.plan', null,
                                  jsonb_build_object('plan', plan));
end
$$;
