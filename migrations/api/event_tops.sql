-- ----------------------------------------------------------------------
-- api.event_tops(users)
--
--      Where the events of many users of the entered tenant stand: the slow
--      check that finds hints which Redis lost.
--
-- Returns:  user_id, top
-- Raises:   U0403 when the caller is not the gateway
-- Writes:   nothing
-- Called:   event/, on a timer
-- ----------------------------------------------------------------------
create or replace function api.event_tops(i_users uuid[])
returns table (user_id uuid, top bigint)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('gateway');
    return query
    select h.user_id, h.top
      from user_head h
     where h.tenant_id = internal.tenant() and h.user_id = any (i_users);
end
$$;
