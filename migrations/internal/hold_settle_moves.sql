-- ----------------------------------------------------------------------
-- internal.hold_settle_moves(moves)
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
-- Called:   internal.hold_settle_all, internal.job_end_effects
--
--      Those of price 0 move nothing.  The wallets are locked first,
--      ascending: whoever touches a hold or a lot has its wallet, so that the
--      rest needs no order.  What lies in expired lots lapses last; of the
--      events of a wallet the last one tells what is there after that.
-- ----------------------------------------------------------------------
create or replace function internal.hold_settle_moves(i_moves podi.hold_move[])
returns jsonb
language plpgsql
as $$
declare
    v_move    podi.hold_move;
    v_moves   podi.hold_move[] := '{}';
    v_lapse   uuid[];
    v_events  jsonb;
begin
    foreach v_move in array i_moves loop
        if (v_move.charge between 0 and v_move.price) is not true then
            raise exception 'a charge above its price, or below 0'
                  using errcode = 'U0422', detail = '{"field":"charge"}';
        elsif v_move.price > 0 then
            v_moves := v_moves || v_move;
        end if;
    end loop;

    if v_moves = '{}' then
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
