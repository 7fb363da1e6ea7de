-- ----------------------------------------------------------------------
-- internal.reconcile_ledger(place, limit)
--
--      R8: replays about limit ledger rows, wallet by wallet: dense, balances,
--      chain, and the end is what the wallet says.  The first fault of a
--      wallet ends its replay.  Stable: all of one snapshot.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  as sys.reconcile; kind wallet, detail {seq, fault}: gap, balance,
--           unchained, hash, wallet; the place is `wallet|seq`, the last row
--           that was good
-- Raises:   U0420 a row names a chain key that is not there
-- Writes:   nothing
-- Called:   sys.reconcile
-- ----------------------------------------------------------------------
create or replace function internal.reconcile_ledger(
    i_place  text,
    i_limit  int)
returns table (kind text, id text, detail jsonb)
language plpgsql stable
as $$
declare
    v_id      uuid := coalesce(split_part(i_place, '|', 1)::uuid,
                               '00000000-0000-0000-0000-000000000000');
    v_seq     bigint := nullif(split_part(i_place, '|', 2), '');
    v_left    int := i_limit;
    v_wallet  podi.wallet;
    v_part    record;
begin
    while v_left > 0 loop
        -- no seq: the wallets up to this one are done
        select w.* into v_wallet
          from podi.wallet w
         where w.wallet_id >= v_id
               and (v_seq is not null or w.wallet_id > v_id)
         order by w.wallet_id, w.tenant_id
         limit 1;
        exit when not found;

        v_seq := case when v_wallet.wallet_id = v_id then v_seq end;
        v_part := internal.ledger_check(v_wallet, coalesce(v_seq, 0), v_left);
        v_left := v_left - v_part.o_rows - 1;
        v_id := v_wallet.wallet_id;
        v_seq := v_part.o_next;

        if v_part.o_fault is not null then
            kind := 'wallet';
            id := v_id;
            detail := jsonb_build_object('seq', v_part.o_seq,
                                         'fault', v_part.o_fault);
            return next;
        end if;
    end loop;

    kind := 'place';
    id := case when v_left <= 0 then concat_ws('|', v_id, v_seq) end;
    detail := jsonb_build_object('more', id is not null);
    return next;
end
$$;
