-- ----------------------------------------------------------------------
-- internal.row_place_last()
--
--      A place behind all rows.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.row_place
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.invariant_breaks, sys.invariant_slice,
--           internal.invariant_next
-- ----------------------------------------------------------------------
create or replace function internal.row_place_last()
returns podi.row_place
language sql immutable
as $$
    select ('ffffffff-ffff-ffff-ffff-ffffffffffff',
            'ffffffff-ffff-ffff-ffff-ffffffffffff',
            9223372036854775807)::podi.row_place
$$;
