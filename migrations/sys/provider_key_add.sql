-- ----------------------------------------------------------------------
-- sys.provider_key_add(id, provider, name, kek, sealed)
--
--      Keeps a sealed key.  Who sealed it chose its id, because it opens in
--      its own row only.
--
-- Returns:  key_id, provider, name, state, kek
-- Raises:   U0409 an active key has that name, or any key that id;
--           23502, 23514 what is missing or out of range
-- Writes:   podi.provider_key, podi.comfy_server, podi.operator_audit
-- Called:   podictl key add
-- ----------------------------------------------------------------------
create or replace function sys.provider_key_add(
    i_id        uuid,
    i_provider  text,
    i_name      text,
    i_kek       text,
    i_sealed    bytea)
returns table (
    key_id    uuid,
    provider  text,
    name      text,
    state     text,
    kek       text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    insert into provider_key as k (key_id, provider, name, kek, sealed)
    values (i_id, i_provider, i_name, i_kek, i_sealed)
        on conflict do nothing
    returning k.key_id, k.provider, k.name, k.state, k.kek;
    if not found then
        raise exception 'there is such a key: disable it first'
              using errcode = 'U0409', detail = '{"field": "name"}';
    end if;

    perform internal.comfy_rekey(i_provider, i_name);
    perform internal.operator_audit('provider_key.add', jsonb_build_object(
                'key_id', i_id, 'provider', i_provider, 'name', i_name,
                'kek', i_kek));
end
$$;
