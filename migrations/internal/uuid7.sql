-- ----------------------------------------------------------------------
-- internal.uuid7()
--
--      A UUIDv7 (RFC 9562): 48 bits of milliseconds, 12 of their fraction,
--      then chance, so that what is made later sorts later.
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
    -- the microseconds follow the milliseconds (RFC 9562, 6.2, method 3); the
    -- rest, with the variant in its place, is of a version 4
    select encode(substr(int8send(t.us / 1000), 3)
                  || int2send((28672 + t.us % 1000 * 4096 / 1000)::int2)
                  || substr(uuid_send(gen_random_uuid()), 9), 'hex')::uuid
      from (select (extract(epoch from clock_timestamp())
                    * 1000000)::bigint as us) t
$$;
