-- ----------------------------------------------------------------------
-- api.session_revoked(since)
--
--      The sessions of the entered tenant that ended since.  A revocation
--      is stamped before it commits: ask with some seconds of overlap.
--
-- Returns:  session_id, revoked_at, oldest first
-- Raises:   U0403 when the caller is not the gateway
-- Writes:   nothing
-- Called:   auth/ngx_http_podi_auth_feed.c
-- ----------------------------------------------------------------------
create or replace function api.session_revoked(i_since timestamptz)
returns table (session_id uuid, revoked_at timestamptz)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('gateway');
    return query
    select s.session_id, s.revoked_at
      from session s
     where s.tenant_id = internal.tenant() and s.revoked_at >= i_since
     order by s.revoked_at;
end
$$;
