-- ----------------------------------------------------------------------
-- api.identity_check(issuer, user, session, token, channel, issued)
--
--      Whether whom a token names may still come in: a user of the entered
--      tenant and his session, and nothing of it revoked.  Somebody of
--      another issuer than podi has no rows: only revocations count, and no
--      tenant is needed.
--
-- Returns:  live; kind: what is at fault, session, user, token or channel;
--           always one row
-- Raises:   U0403 when the caller is not the gateway
-- Writes:   nothing
-- Called:   auth/ngx_http_podi_auth_session.c
-- ----------------------------------------------------------------------
create or replace function api.identity_check(
    i_issuer   text,
    i_user     text,
    i_session  text,
    i_token    text,
    i_channel  text,
    i_issued   timestamptz,
    out live  boolean,
    out kind  text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('gateway', 'nobody');

    if i_issuer = 'podi' and not exists (
        select 1
          from users u
         where u.tenant_id = internal.tenant() and u.user_id = i_user::uuid
           and u.state = 'active')
    then
        kind := 'user';
    elsif i_issuer = 'podi' and i_session is not null and not exists (
        select 1
          from session s
         where s.tenant_id = internal.tenant()
           and s.session_id = i_session::uuid and s.user_id = i_user::uuid
           and s.revoked_at is null and s.idle_expiry > now())
    then
        kind := 'session';
    else
        kind := internal.revocation_kind(i_issuer, i_user, i_session, i_token,
                                         i_channel, i_issued);
    end if;

    live := kind is null;
end
$$;
