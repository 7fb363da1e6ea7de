-- ----------------------------------------------------------------------
-- internal.entry_card(entry)
--
--      A row of the ledger as its owner is shown it.  Inlined, so it carries
--      no SET clause.
--
-- Returns:  seq, type, amount, available_change, frozen_change,
--           available_after, frozen_after, task_id, job_id, reason, at
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.wallet_entries, api.wallet_export
-- ----------------------------------------------------------------------
create or replace function internal.entry_card(l podi.ledger)
returns setof podi.entry_card
language sql stable
as $$
    select l.seq, l.op, l.amount,
           l.amount * ((l.credit = 'available')::int
                       - (l.debit = 'available')::int),
           l.amount * ((l.credit = 'held')::int - (l.debit = 'held')::int),
           l.available_after, l.held_after, l.task_id, l.job_id, l.reason,
           l.at
$$;
