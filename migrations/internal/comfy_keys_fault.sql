-- ----------------------------------------------------------------------
-- internal.comfy_keys_fault(auth)
--
--      Whether the keys that a ComfyUI server is talked to with are there.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the path of the first that is not; NULL: all are
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.comfy_server_put
-- ----------------------------------------------------------------------
create or replace function internal.comfy_keys_fault(i_auth jsonb)
returns text
language sql stable
as $$
    select format('auth.%s.%s', w.name, m.key)
      from unnest('{headers,query}'::text[]) w (name)
     cross join lateral jsonb_each_text(coalesce(i_auth -> w.name, '{}')) m
     where not exists (select 1 from podi.provider_key k
                        where k.provider = 'comfyui' and k.name = m.value
                              and k.state = 'active')
     order by w.name, m.key limit 1
$$;
