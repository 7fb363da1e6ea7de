-- ----------------------------------------------------------------------
-- internal.entry_balance(tenant, wallet, seq)
--
--      The balances of a wallet right after an entry; zeros at 0.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  available (NULL: there is no such entry), frozen, at, hash, key_id
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.wallet_statement, api.wallet_balance_at
-- ----------------------------------------------------------------------
create or replace function internal.entry_balance(
    i_tenant  uuid,
    i_wallet  uuid,
    i_seq     bigint,
    out available  bigint,
    out frozen     bigint,
    out at         timestamptz,
    out hash       bytea,
    out key_id     text)
language sql stable
as $$
    select coalesce(l.available_after, z.n), coalesce(l.held_after, z.n), l.at,
           l.hash, l.key_id
      from (select case i_seq when 0 then 0::bigint end as n) z
      left join podi.ledger l
        on l.wallet_id = i_wallet and l.tenant_id = i_tenant and l.seq = i_seq
$$;
