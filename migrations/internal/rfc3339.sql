-- ----------------------------------------------------------------------
-- internal.rfc3339(time)
--
--      A time as clients see it in JSON, whatever the session's time zone.
--
-- Returns:  text like 2026-01-31T23:59:59.123456Z
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what puts times into JSON
-- ----------------------------------------------------------------------
create or replace function internal.rfc3339(i_at timestamptz)
returns text
language sql stable
as $$
    select pg_catalog.to_char(i_at at time zone 'UTC',
                              'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
