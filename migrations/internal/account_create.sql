-- ----------------------------------------------------------------------
-- internal.account_create(user, login, password hash, display name)
--
--      The rows of a new user of the entered tenant.  Invoker rights.
--
-- Returns:  nothing
-- Raises:   U0414 the login is taken
--           U0422 the login or the display name has a wrong shape
-- Writes:   podi.users, podi.wallet, podi.user_head, podi.audit
-- Called:   api.account_register
-- ----------------------------------------------------------------------
create or replace function internal.account_create(
    i_user           uuid,
    i_login          text,
    i_password_hash  text,
    i_display_name   text)
returns void
language plpgsql
set search_path = podi, pg_temp
as $$
declare
    v_login  text := lower(i_login);
begin
    if v_login is null or length(v_login) not between 1 and 254
       or v_login ~ '[[:space:][:cntrl:]]' then
        raise exception 'a login is 1 to 254 characters without spaces'
              using errcode = 'U0422', detail = '{"field":"login"}';
    end if;
    if coalesce(length(i_display_name), 0) not between 1 and 200 then
        raise exception 'a display name is 1 to 200 characters'
              using errcode = 'U0422', detail = '{"field":"display_name"}';
    end if;

    insert into users (tenant_id, user_id, login, display_name, password_hash)
    values (internal.tenant(), i_user, v_login, i_display_name,
            i_password_hash)
    on conflict on constraint users_login_uq do nothing;
    if not found then
        raise exception 'the login is taken' using errcode = 'U0414';
    end if;

    insert into wallet (tenant_id, wallet_id, user_id)
    values (internal.tenant(), internal.uuid7(), i_user);
    insert into user_head (tenant_id, user_id)
    values (internal.tenant(), i_user);
    perform internal.audit_write('account.register', i_user,
                                 jsonb_build_object('login', v_login));
end
$$;
