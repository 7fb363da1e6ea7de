-- ----------------------------------------------------------------------
-- internal.comfy_server_keys(auth)
--
--      The keys that a ComfyUI server is talked to with, sealed.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  [{key_id, provider, name, kek, sealed}], sealed in hex
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.comfy_servers, sys.comfy_server_open
-- ----------------------------------------------------------------------
create or replace function internal.comfy_server_keys(i_auth jsonb)
returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(jsonb_build_object(
               'key_id', k.key_id, 'provider', k.provider, 'name', k.name,
               'kek', k.kek, 'sealed', encode(k.sealed, 'hex'))
               order by k.name), '[]')
      from podi.provider_key k
     where k.provider = 'comfyui' and k.state = 'active'
           and exists (select 1 from jsonb_path_query(i_auth, '$.*.*') r (name)
                        where r.name = to_jsonb(k.name))
$$;
