-- ----------------------------------------------------------------------
-- internal.quota_of(tenant slug, login)
--
--      Whose budget an operator means: login NULL is the tenant, * each of its
--      users.  Invoker rights; sees other tenants only from sys functions.
--
-- Returns:  o_tenant, o_scope, o_user
-- Raises:   U0404 no such tenant, no such user
-- Writes:   nothing
-- Called:   sys.quota_put
-- ----------------------------------------------------------------------
create or replace function internal.quota_of(
    i_slug   text,
    i_login  text,
    out o_tenant  uuid,
    out o_scope   text,
    out o_user    uuid)
language plpgsql stable
set search_path = podi, pg_temp
as $$
begin
    o_scope := case when i_login is null then 'tenant' else 'user' end;

    if i_login <> '*' then
        select f.o_tenant, f.o_user into o_tenant, o_user
          from internal.account_find(i_slug, i_login) f;
        return;
    end if;

    select t.tenant_id into o_tenant from tenant t where t.slug = i_slug;
    if not found then
        raise exception 'no tenant %', i_slug using errcode = 'U0404';
    end if;
end
$$;
