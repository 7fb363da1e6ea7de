-- ----------------------------------------------------------------------
-- internal.comfy_is_up(seen)
--
--      Whether a ComfyUI server answered when it was last looked at, and that
--      was lately: a look is noted each ten seconds.
--      Inlined, so it carries no SET clause.
--
-- Returns:  boolean, never NULL
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.comfy_server_cards, internal.comfy_wait
-- ----------------------------------------------------------------------
create or replace function internal.comfy_is_up(e podi.comfy_seen)
returns boolean
language sql stable
as $$
    select coalesce(e.ok and e.at > pg_catalog.clock_timestamp()
                                    - interval '90 seconds', false)
$$;
