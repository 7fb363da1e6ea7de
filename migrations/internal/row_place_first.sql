-- ----------------------------------------------------------------------
-- internal.row_place_first()
--
--      A place before all rows.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.row_place
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.invariant_breaks, sys.invariant_slice
-- ----------------------------------------------------------------------
create or replace function internal.row_place_first()
returns podi.row_place
language sql immutable
as $$
    select ('00000000-0000-0000-0000-000000000000',
            '00000000-0000-0000-0000-000000000000',
            -9223372036854775808)::podi.row_place
$$;
