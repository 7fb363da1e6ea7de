-- ----------------------------------------------------------------------
-- internal.lot_legal(row)
--
--      What a lot may be: all that its row alone can show, see
--      internal.job_legal.  Nothing of it is lost: its parts add up to it.
--      Names only what pg_catalog holds.
--
-- Returns:  whether the row may be
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what checks podi.lot
-- ----------------------------------------------------------------------
create or replace function internal.lot_legal(l podi.lot)
returns boolean
language plpgsql immutable
as $$
begin
    return l.kind in ('gift', 'plan', 'paid', 'refund') and l.amount > 0
       and l.avail >= 0 and l.held >= 0 and l.spent >= 0 and l.lapsed >= 0
       and l.adjusted >= 0
       and l.avail + l.held + l.spent + l.lapsed + l.adjusted = l.amount;
end
$$;
