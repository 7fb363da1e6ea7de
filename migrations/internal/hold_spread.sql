-- ----------------------------------------------------------------------
-- internal.hold_spread(hold)
--
--      Brings the allocations of a hold, and the lots behind them, to its
--      totals, as internal.hold_split_all does: captures fill the line of
--      allocations from the left, releases from the right.  The caller holds
--      the wallet's lock.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  moved: how many points; lapses: whether some went back into a lot
--           that has expired
-- Raises:   nothing
-- Writes:   podi.hold_alloc, podi.lot
-- Called:   internal.hold_settle_one
-- ----------------------------------------------------------------------
drop function if exists internal.hold_spread(podi.hold);
create or replace function internal.hold_spread(
    i_hold      podi.hold,
    out moved   bigint,
    out lapses  boolean)
language plpgsql
as $$
declare
    v_part  record;
    v_upto  bigint := 0;
    v_fill  bigint;
    v_back  bigint;
    v_dead  boolean;
begin
    moved := 0;
    lapses := false;
    for v_part in
        select a.lot_id, a.amount, a.captured, a.released
          from podi.hold_alloc a
         where a.hold_id = i_hold.hold_id and a.tenant_id = i_hold.tenant_id
         order by a.ord
    loop
        v_upto := v_upto + v_part.amount;
        v_fill := greatest(0, least(v_part.amount, i_hold.captured - v_upto
                                                   + v_part.amount));
        v_back := greatest(0, least(v_part.amount, v_upto - i_hold.amount
                                                   + i_hold.released));
        continue when v_fill = v_part.captured and v_back = v_part.released;

        update podi.hold_alloc a
           set captured = v_fill, released = v_back
         where a.hold_id = i_hold.hold_id and a.lot_id = v_part.lot_id
           and a.tenant_id = i_hold.tenant_id;
        v_fill := v_fill - v_part.captured;
        v_back := v_back - v_part.released;
        update podi.lot l
           set held = l.held - v_fill - v_back, spent = l.spent + v_fill,
               avail = l.avail + v_back
         where l.lot_id = v_part.lot_id and l.tenant_id = i_hold.tenant_id
        returning l.expires_at <= now() into v_dead;
        moved := moved + v_fill + v_back;
        lapses := lapses or (v_dead and v_back > 0) is true;
    end loop;
end
$$;
