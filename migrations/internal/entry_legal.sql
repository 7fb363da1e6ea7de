-- ----------------------------------------------------------------------
-- internal.entry_legal(row)
--
--      What a ledger row may be: all that the row alone can show, see
--      internal.job_legal.
--      Names only what pg_catalog and internal hold.
--
-- Returns:  whether the row may be
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what checks podi.ledger
-- ----------------------------------------------------------------------
create or replace function internal.entry_legal(l podi.ledger)
returns boolean
language plpgsql immutable
as $$
begin
    return l.seq > 0 and l.amount > 0 and l.available_after >= 0
       and l.held_after >= 0
       and internal.ledger_legal(l.op, l.debit, l.credit)
       and l.hash is not null and octet_length(l.hash) = 32
       and l.key_id is not null;
end
$$;
