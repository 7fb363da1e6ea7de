-- ----------------------------------------------------------------------
-- internal.wallet_move(movement, wallet)
--
--      One movement of points: what internal.ledger_write does for many, in
--      statements so plain that one costs a third of it.  The caller holds the
--      wallet's lock, and hands its row over if he has read it since.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, an array of the event; empty for a lapse
-- Raises:   as internal.ledger_write
-- Writes:   podi.wallet, podi.ledger
-- Called:   internal.hold_take, internal.hold_settle_one, internal.lot_add,
--           internal.refund_make, internal.wallet_change
-- ----------------------------------------------------------------------
create or replace function internal.wallet_move(
    i_move    podi.movement,
    i_wallet  podi.wallet default null)
returns jsonb
language plpgsql
as $$
declare
    v_wallet  podi.wallet := i_wallet;
    v_at      timestamptz := clock_timestamp();
    v_mac     record;
    v_event   text := internal.ledger_event(i_move.op);
begin
    if i_wallet.wallet_id is null then
        select w.* into v_wallet
          from podi.wallet w
         where w.wallet_id = i_move.wallet_id and w.tenant_id = i_move.tenant_id;
    end if;

    v_wallet.seq := v_wallet.seq + 1;
    v_wallet.available := v_wallet.available + i_move.amount
        * ((i_move.credit = 'available')::int - (i_move.debit = 'available')::int);
    v_wallet.held := v_wallet.held + i_move.amount
        * ((i_move.credit = 'held')::int - (i_move.debit = 'held')::int);
    v_mac := internal.chain_mac(array[v_wallet.head], array[internal.ledger_text(
        i_move.tenant_id, i_move.wallet_id, v_wallet.seq, i_move.op,
        i_move.debit, i_move.credit, i_move.amount, v_wallet.available,
        v_wallet.held, i_move.hold_id, i_move.task_id, i_move.job_id,
        i_move.lot_id, v_at, i_move.body_hash, i_move.idem, i_move.ref,
        i_move.reason)]);

    update podi.wallet w
       set available = v_wallet.available, held = v_wallet.held,
           seq = v_wallet.seq, head = v_mac.o_hashes[1],
           low_until = case when w.low_until > v_wallet.available
                            then w.low_until end
     where w.wallet_id = i_move.wallet_id and w.tenant_id = i_move.tenant_id;
    insert into podi.ledger values (
        i_move.tenant_id, i_move.wallet_id, v_wallet.seq, i_move.op,
        i_move.debit, i_move.credit, i_move.amount, v_wallet.available,
        v_wallet.held, i_move.hold_id, i_move.task_id, i_move.job_id,
        i_move.lot_id, i_move.idem, i_move.reason, v_at, i_move.ref,
        i_move.body_hash, v_mac.o_key, v_mac.o_hashes[1])
        on conflict do nothing;
    if not found then
        perform internal.ledger_refuse(array[i_move]);
    end if;

    return case when v_event is null then '[]' else jsonb_build_array(
        jsonb_build_object('tenant_id', i_move.tenant_id,
            'user_id', v_wallet.user_id, 'type', v_event,
            'task_id', i_move.task_id, 'job_id', i_move.job_id,
            'trace_id', i_move.trace_id, 'data', jsonb_build_object(
                'amount', i_move.amount, 'available', v_wallet.available,
                'frozen', v_wallet.held, 'seq', v_wallet.seq))) end;
end
$$;
