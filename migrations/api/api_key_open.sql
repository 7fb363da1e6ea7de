-- ----------------------------------------------------------------------
-- api.api_key_open(key, hash of the secret)
--
--      Who speaks with a key of the entered tenant.  His role is what both
--      he and the key may be.
--
-- Returns:  tenant_id, user_id, key_id, role, scope (words), created_at,
--           expires_at, channel; no row: there is no such key, it has
--           ended, or is revoked
-- Raises:   U0403 when the caller is not the gateway
-- Writes:   podi.api_key.used_at, at most once a minute
-- Called:   auth/ngx_http_podi_auth_await.c
-- ----------------------------------------------------------------------
drop function if exists api.api_key_open(uuid, bytea);
create or replace function api.api_key_open(i_key uuid, i_hash bytea)
returns table (
    tenant_id   uuid,
    user_id     uuid,
    key_id      uuid,
    role        text,
    scope       text,
    created_at  timestamptz,
    expires_at  timestamptz,
    channel     text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
begin
    perform internal.enter('gateway');

    update api_key k
       set used_at = now()
     where k.tenant_id = internal.tenant() and k.key_id = i_key
       and k.secret_hash = i_hash
       and (k.used_at is null or k.used_at < now() - interval '1 minute');

    return query
    select k.tenant_id, k.user_id, k.key_id,
           case u.role when k.max_role then u.role else 'user' end,
           array_to_string(k.scopes, ' '), k.created_at, s.abs_expiry,
           s.channel
      from api_key k
      join session s on s.tenant_id = k.tenant_id and s.session_id = k.key_id
      join users u on u.tenant_id = k.tenant_id and u.user_id = k.user_id
     where k.tenant_id = internal.tenant() and k.key_id = i_key
       and k.secret_hash = i_hash and s.revoked_at is null
       and s.abs_expiry > now() and u.state = 'active'
       and (u.role = k.max_role or 'service' not in (u.role, k.max_role))
       and internal.revocation_kind('podi', k.user_id::text, k.key_id::text,
                                    k.key_id::text, s.channel, k.created_at)
           is null;
end
$$;
