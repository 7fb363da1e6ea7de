-- ----------------------------------------------------------------------
-- sys.account_role(tenant slug, login, role)
--
--      Gives a user a role.
--
-- Returns:  user_id, login, role
-- Raises:   U0404 no such tenant or user; U0422 no such role
-- Writes:   podi.users, podi.audit
-- Called:   podictl account role
-- ----------------------------------------------------------------------
create or replace function sys.account_role(
    i_slug   text,
    i_login  text,
    i_role   text,
    out user_id  uuid,
    out login    text,
    out role     text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_who  record;
begin
    if i_role is null or i_role not in ('user', 'admin', 'service') then
        raise exception 'a role is user, admin or service'
              using errcode = 'U0422', detail = '{"field":"role"}';
    end if;
    v_who := internal.account_find(i_slug, i_login);

    update users u
       set role = i_role, updated_at = now()
     where u.tenant_id = v_who.o_tenant and u.user_id = v_who.o_user
       and u.role <> i_role;
    if found then
        perform internal.audit_append(v_who.o_tenant, 'account.role',
                v_who.o_user, jsonb_build_object('role', i_role));
    end if;

    select u.user_id, u.login, u.role into user_id, login, role
      from users u
     where u.tenant_id = v_who.o_tenant and u.user_id = v_who.o_user;
end
$$;
