-- ----------------------------------------------------------------------
-- internal.wallet_legal(row)
--
--      What a wallet may be: all that its row alone can show, see
--      internal.job_legal.  It owes nothing, and its chain has whole links.
--      Names only what pg_catalog holds.
--
-- Returns:  whether the row may be
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what checks podi.wallet
-- ----------------------------------------------------------------------
create or replace function internal.wallet_legal(w podi.wallet)
returns boolean
language plpgsql immutable
as $$
begin
    return w.available >= 0 and w.held >= 0 and w.seq >= 0
       and octet_length(w.head) % 32 = 0 and w.low_points >= 0;
end
$$;
