-- ----------------------------------------------------------------------
-- sys.provider_key_list()
--
--      The keys of providers that there are and were, without what is in them.
--
-- Returns:  provider, name, state, kek, key_id, created_at, disabled_at
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podictl key list; api.admin_key_list, api.admin_key_disable
-- ----------------------------------------------------------------------
create or replace function sys.provider_key_list()
returns table (
    provider     text,
    name         text,
    state        text,
    kek          text,
    key_id       uuid,
    created_at   timestamptz,
    disabled_at  timestamptz)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select k.provider, k.name, k.state, k.kek, k.key_id, k.created_at,
           k.disabled_at
      from provider_key k
     order by k.provider, k.name, k.created_at, k.key_id;
end
$$;
