-- ----------------------------------------------------------------------
-- api.token_revoke(token, until)
--
--      From now on the caller's token with this jti is not believed; until:
--      its end.  Remembered for the five minutes longer that a ticket of it
--      may live.
--
-- Returns:  until
-- Raises:   nothing of its own
-- Writes:   podi.revocation, podi.audit
-- Called:   account/ngx_http_podi_account_revoke.c
-- ----------------------------------------------------------------------
create or replace function api.token_revoke(
    i_token  uuid,
    i_until  timestamptz,
    out until  timestamptz)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin', 'service');

    insert into revocation as r (tenant_id, kind, id, until, reason)
    values (internal.tenant(), 'token', i_token::text,
            i_until + interval '5 minutes', 'owner')
    on conflict (tenant_id, kind, id) do nothing;

    if found then
        perform internal.audit_write('token.revoke', internal.user_id(),
                jsonb_build_object('token_id', i_token));
    end if;
    token_revoke.until := i_until;
end
$$;
