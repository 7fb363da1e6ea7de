-- ----------------------------------------------------------------------
-- internal.hold_settle_all(moves)
--
--      Ends any number of shares of holds: of each move's price the charge is
--      captured, the rest goes back.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb for event_append_all, in the order of the moves
-- Raises:   U0421 no such hold, or it has less left than its moves cost
--           U0422 a charge is not between 0 and its price
--           U0426 its lots do not add up to it; U0428 a move was made before
-- Writes:   podi.wallet, podi.hold, podi.hold_alloc, podi.lot, podi.ledger
-- Called:   internal.hold_settle, whatever ends jobs in batches
--
--      moves: [{tenant_id, hold_id, task_id, job_id, price, charge, idem,
--      trace_id, ref?, reason?, body_hash?}]; idem is what makes the ledger
--      rows of a move unique in its wallet.  Those of price 0 move nothing.
--      The wallets are locked first, ascending: whoever touches a hold or a
--      lot has its wallet, so that the rest needs no order.  What lies in
--      expired lots lapses last; of the events of a wallet the last one tells
--      what is there after that.
-- ----------------------------------------------------------------------
create or replace function internal.hold_settle_all(i_moves jsonb)
returns jsonb
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
    v_moves   podi.hold_move[];
    v_wrong   boolean;
    v_lapse   uuid[];
    v_events  jsonb;
begin
    select array_agg((m.*)::podi.hold_move),
           bool_or((m.charge between 0 and m.price) is not true)
      into v_moves, v_wrong
      from rows from (jsonb_to_recordset(i_moves)
                      as (tenant_id uuid, hold_id bigint, task_id uuid,
                          job_id uuid, price bigint, charge bigint, idem text,
                          trace_id text, ref text, reason text,
                          body_hash bytea)) with ordinality m
     where (m.price, m.charge) is distinct from (0, 0);
    if v_wrong then
        raise exception 'a charge above its price, or below 0'
              using errcode = 'U0422', detail = '{"field":"charge"}';
    elsif v_moves is null then
        return '[]';
    elsif cardinality(v_moves) = 1 then
        return internal.hold_settle_one(v_moves[1]);
    end if;

    perform internal.wallet_lock_all(v_moves);
    v_lapse := internal.hold_split_all(v_moves);
    v_events := internal.ledger_write(internal.hold_movements(v_moves));
    if v_lapse is not null then
        return internal.hold_lapse_all(v_lapse, v_events);
    end if;
    return v_events;
end
$$;
