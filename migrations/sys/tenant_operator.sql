-- ----------------------------------------------------------------------
-- sys.tenant_operator(tenant slug, on)
--
--      Says whether the admins of a tenant run the installation.
--
-- Returns:  tenant_id, slug, operator
-- Raises:   U0404 no such tenant
-- Writes:   podi.tenant, podi.operator_audit
-- Called:   podictl tenant operator
-- ----------------------------------------------------------------------
create or replace function sys.tenant_operator(
    i_slug  text,
    i_on    boolean,
    out tenant_id  uuid,
    out slug       text,
    out operator   boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_old  boolean;
begin
    select t.tenant_id, t.slug, t.operator into tenant_id, slug, v_old
      from tenant t where t.slug = i_slug
       for update;
    if not found then
        raise exception 'there is no such tenant' using errcode = 'U0404';
    end if;

    operator := coalesce(i_on, false);
    if operator <> v_old then
        update tenant t set operator = tenant_operator.operator
         where t.slug = i_slug;
        perform internal.operator_audit('tenant.operator', jsonb_build_object(
                    'tenant', i_slug, 'operator', operator));
    end if;
end
$$;
