-- ----------------------------------------------------------------------
-- api.revocation_feed(sessions since, others since)
--
--      Which tenant was entered, and what has been revoked since: its
--      sessions, users and tokens, and what is revoked for all tenants.  A
--      revocation is stamped before it commits: ask with some seconds of
--      overlap.  Without a tenant it is only what is revoked for all.
--
-- Returns:  tenant_id (NULL: none), kind, issuer, id, not_before, until (NULL:
--           of a session that has ended), at, oldest first; one row with the tenant alone
--           when there is nothing
-- Raises:   U0403 when the caller is not the gateway
-- Writes:   nothing
-- Called:   auth/ngx_http_podi_auth_feed.c
-- ----------------------------------------------------------------------
create or replace function api.revocation_feed(
    i_sessions_since  timestamptz,
    i_since           timestamptz)
returns table (tenant_id uuid, kind text, issuer text, id text,
               not_before timestamptz, until timestamptz, at timestamptz)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('gateway', 'nobody');
    return query
    select internal.tenant(), x.kind, x.issuer, x.id, x.not_before, x.until,
           x.at
      from (values (1)) as one
      left join (
            select 'session' as kind, 'podi' as issuer,
                   s.session_id::text as id, null::timestamptz as not_before,
                   null::timestamptz as until, s.revoked_at as at
              from session s
             where s.tenant_id = internal.tenant()
               and s.revoked_at >= i_sessions_since
             union all
            select r.kind, 'podi', r.id, r.not_before, r.until, r.revoked_at
              from revocation r
             where r.tenant_id = internal.tenant() and r.until > now()
               and r.revoked_at >= i_since
             union all
            select a.kind, a.issuer, a.id, a.not_before, a.until, a.revoked_at
              from revocation_any a
             where a.until > now() and a.revoked_at >= i_since) x on true
     order by x.at;
end
$$;
