-- ----------------------------------------------------------------------
-- internal.hold_split(tenant, hold, captured, released)
--
--      Brings a hold's allocations, and the lots behind them, to the given
--      totals.  Think of the hold as a line cut into allocations in the order
--      of spending: captures fill it from the left, releases from the right.
--      So the split depends on the totals alone, never on the order in which
--      jobs finish.  The caller holds the wallet's row lock.  Invoker rights.
--
-- Returns:  nothing
-- Raises:   23514 the totals pass the hold
-- Writes:   podi.hold_alloc, podi.lot
-- Called:   internal.hold_settle
-- ----------------------------------------------------------------------
create or replace function internal.hold_split(
    i_tenant    uuid,
    i_hold      bigint,
    i_captured  bigint,
    i_released  bigint)
returns void
language plpgsql
set search_path = podi, pg_temp
as $$
begin
    with line as (
        select a.lot_id, a.amount, a.captured, a.released,
               (sum(a.amount) over w)::bigint as upto,
               (sum(a.amount) over ())::bigint as total
          from hold_alloc a
         where a.tenant_id = i_tenant and a.hold_id = i_hold
        window w as (order by a.ord rows unbounded preceding)),
    goal as (
        select l.lot_id, l.captured, l.released,
               greatest(0, least(l.amount, i_captured - (l.upto - l.amount)))
                   as to_captured,
               greatest(0, least(l.amount, l.upto - (l.total - i_released)))
                   as to_released
          from line l),
    noted as (
        update hold_alloc a
           set captured = g.to_captured, released = g.to_released
          from goal g
         where a.tenant_id = i_tenant and a.hold_id = i_hold
           and a.lot_id = g.lot_id
           and (g.to_captured, g.to_released) <> (g.captured, g.released)
        returning a.lot_id, g.to_captured - g.captured as spent,
                  g.to_released - g.released as back)
    update lot l
       set held = l.held - n.spent - n.back,
           spent = l.spent + n.spent,
           avail = l.avail + n.back
      from noted n
     where l.tenant_id = i_tenant and l.lot_id = n.lot_id;
end
$$;
