-- ----------------------------------------------------------------------
-- sys.invariant_breaks()
--
--      Everything that must never be, in all tenants: reads whole tables, of
--      one snapshot.  Each row is a bug that pages somebody; nothing is
--      repaired here.
--
-- Returns:  inv, id: one row for each break
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podictl
-- ----------------------------------------------------------------------
create or replace function sys.invariant_breaks()
returns table (inv text, id text)
language sql stable security definer
set search_path = podi, pg_temp
as $$
    select i.inv, i.id
      from unnest('{wallet,entry,user,task,hold,attempt,sum}'::text[]) p (name)
     cross join lateral internal.invariant_part(p.name,
           internal.row_place_first(), internal.row_place_last()) i
$$;
