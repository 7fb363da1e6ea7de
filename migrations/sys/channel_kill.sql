-- ----------------------------------------------------------------------
-- sys.channel_kill(channel, killed)
--
--      Closes a channel, also one that only nginx.conf knows; or takes that
--      back.
--
-- Returns:  channel, killed
-- Raises:   U0422 no name of a channel, or nginx has no room for it
-- Writes:   podi.channel
-- Called:   podictl channel kill, channel open
-- ----------------------------------------------------------------------
create or replace function sys.channel_kill(
    i_channel    text,
    i_killed     boolean,
    out channel  text,
    out killed   boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
begin
    if i_channel !~ '^[a-z0-9][a-z0-9_-]{0,62}$' or i_channel = 'default' then
        raise exception 'no name of a channel'
              using errcode = 'U0422', detail = '{"field":"channel"}';
    end if;

    perform pg_advisory_xact_lock(hashtextextended('podi.channel', 0));

    insert into podi.channel as c (channel, killed)
    values (i_channel, i_killed)
        on conflict on constraint channel_pkey do update
       set killed = excluded.killed, changed_at = now()
    returning c.channel, c.killed into channel, killed;

    perform internal.overlay_check(internal.channel_text(), 512 * 1024);
end
$$;
