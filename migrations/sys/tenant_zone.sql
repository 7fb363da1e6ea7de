-- ----------------------------------------------------------------------
-- sys.tenant_zone(slug, zone)
--
--      Says when the days and months of a tenant's budgets begin.  What was
--      counted of a period that begins at another moment then does not count
--      any more.
--
-- Returns:  tenant_id, slug, time_zone
-- Raises:   U0404 no such tenant; U0422 no such time zone
-- Writes:   podi.tenant, podi.audit
-- Called:   podictl tenant zone
-- ----------------------------------------------------------------------
create or replace function sys.tenant_zone(
    i_slug         text,
    i_zone         text,
    out tenant_id  uuid,
    out slug       text,
    out time_zone  text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    if not exists (select 1 from pg_timezone_names z where z.name = i_zone) then
        raise exception 'no time zone %', i_zone
              using errcode = 'U0422', detail = '{"field":"zone"}';
    end if;

    update tenant t
       set time_zone = i_zone
     where t.slug = i_slug
    returning t.tenant_id, t.slug, t.time_zone
         into tenant_id, slug, time_zone;
    if not found then
        raise exception 'no tenant %', i_slug using errcode = 'U0404';
    end if;

    perform internal.audit_append(tenant_id, 'tenant.zone', null,
                                  jsonb_build_object('time_zone', time_zone));
end
$$;
