-- ----------------------------------------------------------------------
-- internal.ledger_legal(op, debit, credit)
--
--      Which accounts an operation moves points between: the whole of double
--      entry here.
--
-- Returns:  whether there is such a movement
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.entry_legal
-- ----------------------------------------------------------------------
create or replace function internal.ledger_legal(
    i_op      text,
    i_debit   text,
    i_credit  text)
returns boolean
language plpgsql immutable
as $$
begin
    return case i_op
           when 'grant'   then i_debit = 'granted'   and i_credit = 'available'
           when 'freeze'  then i_debit = 'available' and i_credit = 'held'
           when 'confirm' then i_debit = 'held'      and i_credit = 'revenue'
           when 'release' then i_debit = 'held'      and i_credit = 'available'
           when 'lapse'   then i_debit = 'available' and i_credit = 'lapsed'
           when 'refund'  then i_debit = 'revenue'   and i_credit = 'available'
           when 'adjust'  then (i_debit = 'adjusted' and i_credit = 'available')
                            or (i_debit = 'available' and i_credit = 'adjusted')
           else false end;
end
$$;
