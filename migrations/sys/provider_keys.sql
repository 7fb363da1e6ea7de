-- ----------------------------------------------------------------------
-- sys.provider_keys(provider)
--
--      The active keys of a provider, sealed: whoever has the key-encryption
--      key can open them.
--
-- Returns:  key_id, provider, name, kek, sealed (hex); by name
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what runs jobs elsewhere
-- ----------------------------------------------------------------------
create or replace function sys.provider_keys(i_provider text)
returns table (
    key_id    uuid,
    provider  text,
    name      text,
    kek       text,
    sealed    text)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select k.key_id, k.provider, k.name, k.kek, encode(k.sealed, 'hex')
      from provider_key k
     where k.provider = i_provider and k.state = 'active'
     order by k.name;
end
$$;
