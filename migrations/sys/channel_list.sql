-- ----------------------------------------------------------------------
-- sys.channel_list()
--
--      What is put over the channels of nginx.conf.
--
-- Returns:  channel, killed, settings, changed_at
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podictl channel list
-- ----------------------------------------------------------------------
create or replace function sys.channel_list()
returns table (
    channel     text,
    killed      boolean,
    settings    jsonb,
    changed_at  timestamptz)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select c.channel, c.killed, c.settings, c.changed_at
      from channel c
     order by c.channel;
end
$$;
