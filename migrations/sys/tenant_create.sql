-- ----------------------------------------------------------------------
-- sys.tenant_create(tenant, slug, name)
--
--      Makes a tenant, or gives back the one that has the slug.
--
-- Returns:  tenant_id, slug, name, is_new
-- Raises:   U0422 the slug has a wrong shape
--           U0409 the id belongs to another tenant
-- Writes:   podi.tenant, podi.audit
-- Called:   podictl tenant create
-- ----------------------------------------------------------------------
create or replace function sys.tenant_create(
    i_tenant  uuid,
    i_slug    text,
    i_name    text,
    out tenant_id  uuid,
    out slug       text,
    out name       text,
    out is_new     boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
begin
    if coalesce(i_slug, '') !~ '^[a-z0-9][a-z0-9-]{0,62}$' then
        raise exception 'a slug is lower case letters, digits and dashes'
              using errcode = 'U0422', detail = '{"field":"slug"}';
    end if;

    insert into tenant (tenant_id, slug, name)
    values (i_tenant, i_slug, coalesce(i_name, i_slug))
    on conflict do nothing;
    is_new := found;

    select t.tenant_id, t.slug, t.name into tenant_id, slug, name
      from tenant t
     where t.slug = i_slug;
    if not found then
        raise exception 'the id belongs to another tenant'
              using errcode = 'U0409';
    end if;

    if is_new then
        perform internal.audit_append(tenant_id, 'tenant.create', null,
                                      jsonb_build_object('slug', slug));
    end if;
end
$$;
