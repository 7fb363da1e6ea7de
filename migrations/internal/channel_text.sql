-- ----------------------------------------------------------------------
-- internal.channel_text()
--
--      All that is put over the channels of nginx.conf, as nginx reads it.
--
-- Returns:  [{channel, killed, settings}], by name
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.channel_overlay, sys.channel_put, sys.channel_kill
-- ----------------------------------------------------------------------
create or replace function internal.channel_text()
returns text
language sql stable
as $$
    select coalesce(jsonb_agg(jsonb_build_object(
                        'channel', c.channel, 'killed', c.killed,
                        'settings', c.settings) order by c.channel),
                    '[]')::text
      from podi.channel c
$$;
