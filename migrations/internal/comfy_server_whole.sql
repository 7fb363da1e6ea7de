-- ----------------------------------------------------------------------
-- internal.comfy_server_whole(card)
--
--      A card of a ComfyUI server that says all of it: what it did not say is
--      as of a new one, but for the state, which stays.
--
-- Returns:  what sys.comfy_server_put takes
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.admin_server_put, internal.comfy_apply_one
-- ----------------------------------------------------------------------
create or replace function internal.comfy_server_whole(i_card jsonb)
returns jsonb
language sql immutable
as $$
    select jsonb '{"url": null, "ws_url": null, "auth": {}, "ca_file": null,
                   "labels": [], "slots": 1, "prefetch": 1,
                   "single_tenant": false}' || i_card
$$;
