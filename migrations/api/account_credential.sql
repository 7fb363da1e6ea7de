-- ----------------------------------------------------------------------
-- api.account_credential(login)
--
--      What a login is checked against.
--
-- Returns:  user_id, password_hash of an active user with a password; no
--           row otherwise
-- Raises:   U0403 for somebody who is signed in
-- Writes:   nothing
-- Called:   account/ngx_http_podi_account_login.c
-- ----------------------------------------------------------------------
create or replace function api.account_credential(i_login text)
returns table (user_id uuid, password_hash text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('anon', 'gateway');
    return query
    select u.user_id, u.password_hash
      from users u
     where u.tenant_id = internal.tenant() and u.login = lower(i_login)
       and u.state = 'active' and u.password_hash is not null;
end
$$;
