-- ----------------------------------------------------------------------
-- api.channel_overlay()
--
--      What the operator has put over the channels of nginx.conf; the same
--      for each tenant, and without one.
--
-- Returns:  channels text, as internal.channel_text
-- Raises:   U0403 when the caller is not the gateway
-- Writes:   nothing
-- Called:   channel/ngx_http_podi_channel_overlay.c
-- ----------------------------------------------------------------------
create or replace function api.channel_overlay()
returns table (channels text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('gateway', 'nobody');
    return query select internal.channel_text();
end
$$;
