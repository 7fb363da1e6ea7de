-- ----------------------------------------------------------------------
-- internal.uuid7()
--
--      A UUIDv7 (RFC 9562): 48 bits of milliseconds, then chance.
--
-- Returns:  uuid
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what makes an id that C did not pass in
-- ----------------------------------------------------------------------
create or replace function internal.uuid7()
returns uuid
language sql volatile
set search_path = podi, pg_temp
as $$
    -- version 4 has the variant right already; only the version changes
    select encode(set_byte(r.b, 6, get_byte(r.b, 6) & 15 | 112), 'hex')::uuid
      from (select substr(int8send((extract(epoch from clock_timestamp())
                                    * 1000)::bigint), 3)
                   || substr(uuid_send(gen_random_uuid()), 7) as b) r
$$;
