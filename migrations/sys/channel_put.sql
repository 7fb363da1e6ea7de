-- ----------------------------------------------------------------------
-- sys.channel_put(channel, settings)
--
--      Puts settings over a channel of nginx.conf, or makes one that is only
--      here: the members given; null takes one away.
--
-- Returns:  channel, settings, killed, is_new
-- Raises:   U0422 a name or a member that nginx could not read, or more of
--           them than it has room for
-- Writes:   podi.channel
-- Called:   podictl channel set
-- ----------------------------------------------------------------------
create or replace function sys.channel_put(
    i_channel   text,
    i_settings  jsonb,
    out channel   text,
    out settings  jsonb,
    out killed    boolean,
    out is_new    boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_bad  text;
begin
    v_bad := case when jsonb_typeof(i_settings) is distinct from 'object'
                  then 'settings'
             when i_channel !~ '^[a-z0-9][a-z0-9_-]{0,62}$'
                  or i_channel = 'default' then 'channel'
             else internal.channel_fault(jsonb_strip_nulls(i_settings)) end;
    if v_bad is not null then
        raise exception 'a channel has no such %', v_bad
              using errcode = 'U0422',
                    detail = json_build_object('field', v_bad);
    end if;

    -- with others at the same time there might be too much
    perform pg_advisory_xact_lock(hashtextextended('podi.channel', 0));

    insert into podi.channel as c (channel, settings)
    values (i_channel, jsonb_strip_nulls(i_settings))
        on conflict on constraint channel_pkey do update
       set settings = jsonb_strip_nulls(c.settings || i_settings),
           changed_at = now()
    returning c.channel, c.settings, c.killed, c.xmax = 0
         into channel, settings, killed, is_new;

    -- there is always some room left for those that have to be closed
    perform internal.overlay_check(internal.channel_text(), 448 * 1024);
end
$$;
