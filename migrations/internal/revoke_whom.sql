-- ----------------------------------------------------------------------
-- internal.revoke_whom(kind, id, tenant slug)
--
--      Whose user or session an operator means: a UUID, or with a tenant the
--      login of a user.  Invoker rights; called by sys functions.
--
-- Returns:  o_tenant, o_user
-- Raises:   U0404 no such user or session; U0422 neither a UUID nor a tenant
-- Writes:   nothing
-- Called:   sys.revoke, sys.limit_put
-- ----------------------------------------------------------------------
create or replace function internal.revoke_whom(
    i_kind  text,
    i_id    text,
    i_slug  text,
    out o_tenant  uuid,
    out o_user    uuid)
language plpgsql stable
set search_path = podi, pg_temp
as $$
begin
    if i_kind = 'user' and i_slug is not null then
        select a.o_tenant, a.o_user into o_tenant, o_user
          from internal.account_find(i_slug, i_id) a;
        return;
    end if;

    if i_id !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
        raise exception 'a UUID is wanted, or with a tenant the login of a user'
              using errcode = 'U0422', detail = '{"field":"id"}';
    end if;

    if i_kind = 'user' then
        select u.tenant_id, u.user_id into o_tenant, o_user
          from users u where u.user_id = i_id::uuid;
    else
        select s.tenant_id, s.user_id into o_tenant, o_user
          from session s where s.session_id = i_id::uuid;
    end if;

    if o_user is null then
        raise exception 'no % %', i_kind, i_id using errcode = 'U0404';
    end if;
end
$$;
