-- ----------------------------------------------------------------------
-- sys.ledger_verify(wallet, after_seq, after_wallet, limit)
--
--      Replays ledgers and verifies their chains: of one wallet, from behind
--      a row; or, without a wallet, of up to limit wallets whose ids follow
--      after_wallet, so that a sampler goes round by the last id it got.
--
-- Returns:  tenant_id, wallet_id, checked (rows), seq, fault: one row for each
--           wallet; seq and fault are NULL when all is well, else the first
--           row that is wrong and how: gap, balance, unchained, hash, wallet
-- Raises:   U0404 no such wallet
--           U0420 a row names a chain key that is not there
-- Writes:   nothing
-- Called:   whatever samples or verifies ledgers
-- ----------------------------------------------------------------------
create or replace function sys.ledger_verify(
    i_wallet        uuid,
    i_after_seq     bigint,
    i_after_wallet  uuid,
    i_limit         int)
returns table (
    tenant_id  uuid,
    wallet_id  uuid,
    checked    bigint,
    seq        bigint,
    fault      text)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select w.tenant_id, w.wallet_id, c.o_rows, c.o_seq, c.o_fault
      from (select q.*
              from wallet q
             where case when i_wallet is null
                        then q.wallet_id > coalesce(i_after_wallet,
                             '00000000-0000-0000-0000-000000000000')
                        else q.wallet_id = i_wallet end
             order by q.wallet_id, q.tenant_id
             limit greatest(coalesce(i_limit, 1), 1)) w
     cross join lateral internal.ledger_check(w::wallet,
           case when i_wallet is null then 0
                else greatest(coalesce(i_after_seq, 0), 0) end) c;

    if i_wallet is not null and not found then
        raise exception 'no wallet %', i_wallet using errcode = 'U0404';
    end if;
end
$$;
