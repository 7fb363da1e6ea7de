-- ----------------------------------------------------------------------
-- internal.invariant_part(part, from, to)
--
--      What must never be, in a slice of one part of the rows.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.invariant_breaks, sys.invariant_slice
-- ----------------------------------------------------------------------
create or replace function internal.invariant_part(
    i_part  text,
    i_from  podi.row_place,
    i_to    podi.row_place)
returns table (inv text, id text)
language plpgsql stable
as $$
begin
    case i_part
    when 'wallet' then
        return query select * from internal.invariant_wallet(i_from, i_to);
    when 'entry' then
        return query select * from internal.invariant_entry(i_from, i_to);
    when 'user' then
        return query select * from internal.invariant_user(i_from, i_to);
    when 'task' then
        return query select * from internal.invariant_task(i_from, i_to);
    when 'hold' then
        return query select * from internal.invariant_hold(i_from, i_to);
    when 'attempt' then
        return query select * from internal.invariant_attempt(i_from, i_to);
    when 'sum' then
        return query select * from internal.invariant_sum();
    end case;
end
$$;
