-- ----------------------------------------------------------------------
-- api.session_revoked(since)
--
--      Which tenant was entered, and its sessions that ended since.  A
--      revocation is stamped before it commits: ask with some seconds of
--      overlap.
--
-- Returns:  tenant_id, session_id, revoked_at, oldest first; one row with
--           the tenant alone when no session ended
-- Raises:   U0403 when the caller is not the gateway
-- Writes:   nothing
-- Called:   auth/ngx_http_podi_auth_feed.c
-- ----------------------------------------------------------------------
-- it returned less once, and replacing cannot change that
drop function if exists api.session_revoked(timestamptz);

create or replace function api.session_revoked(i_since timestamptz)
returns table (tenant_id uuid, session_id uuid, revoked_at timestamptz)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('gateway');
    return query
    select internal.tenant(), s.session_id, s.revoked_at
      from (values (1)) as one
      left join session s
        on s.tenant_id = internal.tenant() and s.revoked_at >= i_since
     order by s.revoked_at;
end
$$;
