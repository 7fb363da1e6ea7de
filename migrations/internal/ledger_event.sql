-- ----------------------------------------------------------------------
-- internal.ledger_event(op)
--
--      The event that tells of a ledger row.
--
-- Returns:  its type; NULL: it is not told
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.ledger_write, internal.wallet_move
-- ----------------------------------------------------------------------
create or replace function internal.ledger_event(i_op text)
returns text
language sql immutable
as $$
    select case i_op
           when 'grant'   then 'wallet.granted'
           when 'freeze'  then 'wallet.frozen'
           when 'confirm' then 'wallet.confirmed'
           when 'release' then 'wallet.released'
           when 'refund'  then 'wallet.refunded'
           when 'adjust'  then 'wallet.adjusted' end
$$;
