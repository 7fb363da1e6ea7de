-- ----------------------------------------------------------------------
-- api.account_register(user, login, password hash, display name, key, hash)
--
--      Makes a user of the entered tenant, with a wallet and an event head.
--      The login is folded to lower case; a key is good for one login, so
--      that strangers with the same key do not meet (cut to the longest login
--      there is, because an index must hold it).
--
-- Returns:  user_id, login, display_name, role, created_at
-- Raises:   U0414 the login is taken
--           U0403 for somebody who is signed in
--           U0422 the login or the display name has a wrong shape
--           U0410, U0409 idempotency
-- Writes:   podi.idempotency, podi.users, podi.wallet, podi.user_head,
--           podi.audit
-- Called:   account/ngx_http_podi_account_register.c
-- ----------------------------------------------------------------------
create or replace function api.account_register(
    i_user           uuid,
    i_login          text,
    i_password_hash  text,
    i_display_name   text,
    i_key            text,
    i_hash           bytea,
    out user_id       uuid,
    out login         text,
    out display_name  text,
    out role          text,
    out created_at    timestamptz)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_old    jsonb;
    v_user   uuid := i_user;
    v_scope  text := left(coalesce(lower(i_login), ''), 254);
begin
    perform internal.enter('anon', 'gateway');
    v_old := internal.idem_begin('account.register', i_key, i_hash, v_scope);
    if v_old is not null then
        v_user := (v_old ->> 'user_id')::uuid;
    else
        perform internal.account_create(i_user, i_login, i_password_hash,
                                        i_display_name);
        perform internal.idem_end('account.register', i_key,
                                  jsonb_build_object('user_id', i_user),
                                  v_scope);
    end if;

    select u.user_id, u.login, u.display_name, u.role, u.created_at
      into strict user_id, login, display_name, role, created_at
      from users u
     where u.tenant_id = internal.tenant() and u.user_id = v_user;
end
$$;
