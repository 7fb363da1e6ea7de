-- ----------------------------------------------------------------------
-- internal.comfy_rekey(provider, name)
--
--      A key came or went: the ComfyUI servers that are asked with it are
--      new to those who talk to them, as if their rows had changed.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   podi.comfy_server
-- Called:   sys.provider_key_add, sys.provider_key_disable
-- ----------------------------------------------------------------------
create or replace function internal.comfy_rekey(
    i_provider  text,
    i_name      text)
returns void
language plpgsql
as $$
begin
    update podi.comfy_server s
       set updated_at = clock_timestamp()
     where i_provider = 'comfyui'
           and i_name in (select e.value
                            from jsonb_each(s.auth) g
                           cross join lateral jsonb_each_text(g.value) e);
end
$$;
