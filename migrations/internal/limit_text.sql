-- ----------------------------------------------------------------------
-- internal.limit_text()
--
--      All that is put over the rates of nginx.conf, as nginx reads it.
--
-- Returns:  lines of zone, kind, issuer, tenant, subject and terms, with a
--           blank after each, also where issuer or tenant are empty
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.limit_rates, sys.limit_put
-- ----------------------------------------------------------------------
create or replace function internal.limit_text()
returns text
language sql stable
as $$
    select coalesce(string_agg(concat_ws(' ', l.zone, l.kind, l.issuer,
                                         l.tenant, l.subject, l.terms),
                               E'\n' order by l.zone, l.kind, l.issuer,
                                              l.tenant, l.subject), '')
      from podi.limit_rate l
$$;
