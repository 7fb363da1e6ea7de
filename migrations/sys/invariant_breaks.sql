-- ----------------------------------------------------------------------
-- sys.invariant_breaks()
--
--      Everything that must never be, in all tenants.  Each row is a bug
--      that pages somebody; nothing is repaired here.
--
-- Returns:  inv, id: one row for each break
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podi_janitord, podictl
-- ----------------------------------------------------------------------
create or replace function sys.invariant_breaks()
returns table (inv text, id text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select i.inv, i.id from internal.invariant_wallet() i
    union all
    select i.inv, i.id from internal.invariant_task() i
    union all
    select i.inv, i.id from internal.invariant_hold() i
    union all
    select i.inv, i.id from internal.invariant_payment() i
    union all
    select i.inv, i.id from internal.invariant_quota() i
    union all
    select i.inv, i.id from internal.invariant_orphan() i;
end
$$;
