-- ----------------------------------------------------------------------
-- api.session_check(session)
--
--      Whether a session of the entered tenant is live.
--
-- Returns:  live, always one row
-- Raises:   nothing of its own
-- Writes:   nothing
-- Called:   auth/ngx_http_podi_auth_session.c
-- ----------------------------------------------------------------------
create or replace function api.session_check(i_session uuid, out live boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('any');
    live := exists (
        select 1
          from session s
          join users u on u.tenant_id = s.tenant_id and u.user_id = s.user_id
         where s.tenant_id = internal.tenant() and s.session_id = i_session
           and s.revoked_at is null and s.idle_expiry > now()
           and u.state = 'active');
end
$$;
