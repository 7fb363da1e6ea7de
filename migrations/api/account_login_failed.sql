-- ----------------------------------------------------------------------
-- api.account_login_failed(login, ip prefix)
--
--      Notes a login with a wrong name or password.
--
-- Returns:  nothing
-- Raises:   U0403 for somebody who is signed in
-- Writes:   podi.audit
-- Called:   account/ngx_http_podi_account_login.c
-- ----------------------------------------------------------------------
create or replace function api.account_login_failed(
    i_login      text,
    i_ip_prefix  text)
returns void
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('anon', 'gateway');

    -- a stranger wrote the login: it is cut, so that audit stays small
    perform internal.audit_write('account.login_failed',
            (select u.user_id from users u
              where u.tenant_id = internal.tenant()
                and u.login = lower(i_login)),
            jsonb_build_object('login', left(lower(i_login), 254),
                               'ip_prefix', i_ip_prefix));
end
$$;
