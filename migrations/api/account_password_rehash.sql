-- ----------------------------------------------------------------------
-- api.account_password_rehash(user, old hash, new hash)
--
--      Replaces a password's hash by one of newer cost.  Nothing happens
--      when the hash is not the old one any more.
--
-- Returns:  nothing
-- Raises:   U0403 for somebody who is signed in
-- Writes:   podi.users
-- Called:   account/ngx_http_podi_account_login.c
-- ----------------------------------------------------------------------
create or replace function api.account_password_rehash(
    i_user  uuid,
    i_old   text,
    i_new   text)
returns void
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('anon', 'gateway');
    update users u
       set password_hash = i_new, updated_at = now()
     where u.tenant_id = internal.tenant() and u.user_id = i_user
       and u.password_hash = i_old;
end
$$;
