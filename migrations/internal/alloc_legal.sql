-- ----------------------------------------------------------------------
-- internal.alloc_legal(row)
--
--      What an allocation may be: all that its row alone can show, see
--      internal.job_legal.
--      Names only what pg_catalog holds.
--
-- Returns:  whether the row may be
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what checks podi.hold_alloc
-- ----------------------------------------------------------------------
create or replace function internal.alloc_legal(a podi.hold_alloc)
returns boolean
language plpgsql immutable
as $$
begin
    return a.amount > 0 and a.captured >= 0 and a.released >= 0
       and a.captured + a.released <= a.amount
       and a.refunded between 0 and a.captured;
end
$$;
