-- ----------------------------------------------------------------------
-- internal.account_find(tenant slug, login)
--
--      A user by the names that an operator types.  Invoker rights; sees
--      other tenants only from sys functions.
--
-- Returns:  o_tenant, o_user
-- Raises:   U0404 no such tenant, no such user
-- Writes:   nothing
-- Called:   sys functions of the operator
-- ----------------------------------------------------------------------
create or replace function internal.account_find(
    i_slug   text,
    i_login  text,
    out o_tenant  uuid,
    out o_user    uuid)
language plpgsql stable
set search_path = podi, pg_temp
as $$
begin
    select t.tenant_id into o_tenant from tenant t where t.slug = i_slug;
    if not found then
        raise exception 'no tenant %', i_slug using errcode = 'U0404';
    end if;

    select u.user_id into o_user
      from users u
     where u.tenant_id = o_tenant and u.login = lower(i_login);
    if not found then
        raise exception 'no user % in tenant %', i_login, i_slug
              using errcode = 'U0404';
    end if;
end
$$;
