-- ----------------------------------------------------------------------
-- sys.ledger_verify(wallet, after_seq, after_wallet, limit)
--
--      Replays ledgers and verifies their chains, up to limit rows (100,000)
--      in a call: of one wallet, from behind a row on; or, without a wallet, of
--      wallet after wallet, in the order of their ids, from behind after_wallet
--      on; with both of after_seq and after_wallet in that wallet, behind that
--      row.  A wallet counts as a row at least, so that a call ends.
--
-- Returns:  tenant_id, wallet_id, checked (rows), next_seq, seq, fault: one row
--           for each wallet.  seq and fault are NULL when all is well, else the
--           first row that is wrong and how: gap, balance, unchained, hash,
--           wallet.  next_seq, in the last row alone: the wallet has more rows;
--           go on with it as after_seq, and with the wallet
-- Raises:   U0404 no such wallet
--           U0420 a row names a chain key that is not there
-- Writes:   nothing
-- Called:   whatever samples or verifies ledgers
--
--          go on by (null, last next_seq, last wallet_id) until no row comes
-- ----------------------------------------------------------------------
drop function if exists sys.ledger_verify(uuid, bigint, uuid, int);
create or replace function sys.ledger_verify(
    i_wallet        uuid,
    i_after_seq     bigint,
    i_after_wallet  uuid,
    i_limit         int)
returns table (
    tenant_id  uuid,
    wallet_id  uuid,
    checked    bigint,
    next_seq   bigint,
    seq        bigint,
    fault      text)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
declare
    v_from    uuid := coalesce(i_wallet, i_after_wallet);
    v_within  boolean := i_wallet is not null or i_after_seq is not null;
    v_left    bigint := greatest(coalesce(i_limit, 100000), 1);
    v_wallet  wallet;
begin
    for v_wallet in
        select w.*
          from wallet w
         where w.wallet_id >= coalesce(v_from,
                   '00000000-0000-0000-0000-000000000000')
               and (v_within or w.wallet_id is distinct from v_from)
               and (i_wallet is null or w.wallet_id = i_wallet)
         order by w.wallet_id
         limit v_left
    loop
        select v_wallet.tenant_id, v_wallet.wallet_id, c.o_rows, c.o_seq,
               c.o_fault, c.o_next
          into tenant_id, wallet_id, checked, seq, fault, next_seq
          from internal.ledger_check(v_wallet, case
                   when v_within and v_wallet.wallet_id = v_from
                   then greatest(coalesce(i_after_seq, 0), 0) else 0 end,
                   v_left) c;
        return next;
        v_left := v_left - greatest(checked, 1);
        exit when v_left <= 0 or next_seq is not null;
    end loop;

    if i_wallet is not null and wallet_id is null then
        raise exception 'no wallet %', i_wallet using errcode = 'U0404';
    end if;
end
$$;
