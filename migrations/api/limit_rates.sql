-- ----------------------------------------------------------------------
-- api.limit_rates()
--
--      What the operator has put over the rates of nginx.conf; the same for
--      each tenant.
--
-- Returns:  rates text: lines of zone, kind, issuer, tenant, subject and terms, with a
--           blank after each, also where issuer or tenant are empty
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
    perform internal.enter('gateway');
    return query
    select coalesce(string_agg(concat_ws(' ', l.zone, l.kind, l.issuer,
                                         l.tenant, l.subject, l.terms),
                               E'\n' order by l.zone, l.kind, l.issuer,
                                              l.tenant, l.subject), '')
      from limit_rate l;
end
$$;
