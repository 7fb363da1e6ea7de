-- ----------------------------------------------------------------------
-- api.event_head()
--
--      Where the caller's events stand.
--
-- Returns:  top (the newest), floor (the last one deleted), epoch (changes
--           when numbers start anew)
-- Raises:   U0404 the caller has no events
-- Writes:   nothing
-- Called:   event/, when a stream opens
-- ----------------------------------------------------------------------
create or replace function api.event_head(
    out top    bigint,
    out floor  bigint,
    out epoch  text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin', 'gateway');
    select h.top, h.floor, h.epoch into top, floor, epoch
      from user_head h
     where h.tenant_id = internal.tenant()
       and h.user_id = internal.user_id();
    if not found then
        raise exception 'no event head' using errcode = 'U0404';
    end if;
end
$$;
