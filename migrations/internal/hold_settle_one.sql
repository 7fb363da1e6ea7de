-- ----------------------------------------------------------------------
-- internal.hold_settle_one(move)
--
--      internal.hold_settle_moves for one move, in statements so plain that it
--      costs a third of it; what both do to a hold is the same.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb for event_append_all
-- Raises:   as internal.hold_settle_moves
-- Writes:   podi.wallet, podi.hold, podi.hold_alloc, podi.lot, podi.ledger
-- Called:   internal.hold_settle_moves
-- ----------------------------------------------------------------------
create or replace function internal.hold_settle_one(i_move podi.hold_move)
returns jsonb
language plpgsql
as $$
declare
    v_wallet  podi.wallet;
    v_hold    podi.hold;
    v_spread  record;
    v_events  jsonb := '[]';
begin
    select w.* into v_wallet
      from podi.hold h
      join podi.wallet w
        on w.wallet_id = h.wallet_id and w.tenant_id = h.tenant_id
     where h.hold_id = i_move.hold_id and h.tenant_id = i_move.tenant_id
       for update of w;

    update podi.hold h
       set captured = h.captured + i_move.charge,
           released = h.released + i_move.price - i_move.charge
     where h.hold_id = i_move.hold_id and h.tenant_id = i_move.tenant_id
       and h.amount - h.captured - h.released >= i_move.price
    returning h.* into v_hold;
    if not found then
        raise exception 'a hold has less left than its jobs cost'
              using errcode = 'U0421';
    end if;
    v_spread := internal.hold_spread(v_hold);
    if v_spread.moved <> i_move.price then
        raise exception 'the lots of a hold do not add up to it'
              using errcode = 'U0426';
    end if;

    if i_move.charge > 0 then
        v_events := internal.wallet_move((v_hold.tenant_id, v_hold.wallet_id,
            'confirm', 'held', 'revenue', i_move.charge, i_move.hold_id,
            i_move.task_id, i_move.job_id, null, 'confirm:' || i_move.idem,
            i_move.ref, i_move.reason, i_move.body_hash, i_move.trace_id),
            v_wallet);
        v_wallet := null;               -- it has changed
    end if;
    if i_move.charge < i_move.price then
        v_events := v_events || internal.wallet_move((v_hold.tenant_id,
            v_hold.wallet_id, 'release', 'held', 'available',
            i_move.price - i_move.charge, i_move.hold_id, i_move.task_id,
            i_move.job_id, null, 'release:' || i_move.idem, i_move.ref,
            i_move.reason, i_move.body_hash, i_move.trace_id), v_wallet);
    end if;

    if v_spread.lapses then
        return internal.hold_lapse_all(array[v_hold.wallet_id], v_events);
    end if;
    return v_events;
end
$$;
