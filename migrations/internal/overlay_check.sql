-- ----------------------------------------------------------------------
-- internal.overlay_check(text, bytes)
--
--      Whether nginx has room for what is put over its configuration, as it
--      would be now.  Of a text above 512 kB it takes nothing, and what was
--      read last stays (core/ngx_podi_overlay.c): better refused here, where
--      somebody hears of it.
--
-- Returns:  nothing
-- Raises:   U0422 it has not
-- Writes:   nothing
-- Called:   sys.limit_put, sys.channel_put, sys.channel_kill
-- ----------------------------------------------------------------------
create or replace function internal.overlay_check(
    i_text   text,
    i_bytes  int)
returns void
language plpgsql immutable
as $$
begin
    if octet_length(i_text) > i_bytes then
        raise exception 'nginx has no room for that: all of it is % bytes of %',
              octet_length(i_text), i_bytes using errcode = 'U0422';
    end if;
end
$$;
