-- ----------------------------------------------------------------------
-- api.api_key_revoke(key)
--
--      Takes one of the caller's own keys back; again changes nothing.
--
-- Returns:  the columns of podi.api_key_card, _events
-- Raises:   U0404 he has no such key
-- Writes:   podi.session, podi.event_ticket, podi.audit, podi.user_event
-- Called:   account/ngx_http_podi_account_api_key_revoke.c
-- ----------------------------------------------------------------------
create or replace function api.api_key_revoke(i_key uuid)
returns table (
    key_id      uuid,
    name        text,
    role        text,
    scopes      jsonb,
    created_at  timestamptz,
    expires_at  timestamptz,
    used_at     timestamptz,
    revoked_at  timestamptz,
    _events     jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_events  jsonb;
begin
    perform internal.enter('user', 'admin', 'service');

    perform 1
       from api_key k
      where k.tenant_id = internal.tenant() and k.key_id = i_key
        and k.user_id = internal.user_id();
    if not found then
        raise exception 'no such API key' using errcode = 'U0404';
    end if;

    select r.o_events into v_events
      from internal.session_revoke(i_key, 'api_key', 'account.api_key_end') r;

    return query
    select c.*, coalesce(v_events, '[]')
      from api_key k
     cross join lateral internal.api_key_card(k) c
     where k.tenant_id = internal.tenant() and k.key_id = i_key;
end
$$;
