-- ----------------------------------------------------------------------
-- internal.enter(roles...)
--
--      The gate of every api function: verifies the transaction's signed
--      context and sets what the policies compare with, overwriting whatever
--      stood there.  'any' admits every role, anonymous too; 'nobody', beside
--      'gateway', a context without a tenant, which then sees no tenant's rows.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0001 bad context; U0404 no such tenant
--           U0401 anonymous where a user is wanted; U0403 wrong role
-- Writes:   the transaction-local podi.tenant, podi.user, podi.role
-- Called:   api.*, first
-- ----------------------------------------------------------------------
create or replace function internal.enter(variadic i_roles text[])
returns void
language plpgsql
as $$
declare
    v_tenant  uuid;
    v_user    uuid;
    v_role    text;
begin
    select c.o_tenant, c.o_user, c.o_role into v_tenant, v_user, v_role
      from internal.context_verify(current_setting('podi.context', true)) c;

    if v_role not in ('anon', 'user', 'admin', 'service', 'gateway', 'worker')
       or (v_role in ('user', 'admin', 'service') and v_user is null) then
        raise exception 'context without a role' using errcode = 'U0001';
    end if;

    if v_tenant is null
       and not ('nobody' = any (i_roles) and v_role = 'gateway') then
        raise exception 'no tenant' using errcode = 'U0404';
    end if;

    if not ('any' = any (i_roles) or v_role = any (i_roles)) then
        if v_role = 'anon' then
            raise exception 'sign in first' using errcode = 'U0401';
        end if;
        raise exception 'not for role %', v_role using errcode = 'U0403';
    end if;

    perform set_config('podi.tenant', coalesce(v_tenant::text, ''), true),
            set_config('podi.user', coalesce(v_user::text, ''), true),
            set_config('podi.role', v_role, true);
end
$$;
