-- ----------------------------------------------------------------------
-- api.limit_rates()
--
--      What the operator has put over the rates of nginx.conf; the same for
--      each tenant, and without one.
--
-- Returns:  rates text, as internal.limit_text
-- Raises:   U0403 when the caller is not the gateway
-- Writes:   nothing
-- Called:   limit/ngx_http_podi_limit_rates.c
-- ----------------------------------------------------------------------
create or replace function api.limit_rates()
returns table (rates text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('gateway', 'nobody');
    return query select internal.limit_text();
end
$$;
