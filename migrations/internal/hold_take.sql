-- ----------------------------------------------------------------------
-- internal.hold_take(hold, ttl, idem, body_hash, trace)
--
--      Makes a hold: takes its amount from the wallet's lots in the order of
--      spending (priority, soonest expiry, oldest) and records the split.
--      Expired lots lapse first.  Locks the wallet.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  o_hold: its id; o_events for internal.event_append: wallet.frozen,
--           and wallet.low when it made the wallet that
-- Raises:   U0402 not enough points; detail required, available, missing
--           U0420 no such wallet; U0426 its lots do not add up to it
--           23505 the round, or the ref, has a hold already
-- Writes:   podi.wallet, podi.hold, podi.lot, podi.hold_alloc, podi.ledger
-- Called:   internal.hold_freeze, internal.hold_open
--
--      Of hold: tenant_id, wallet_id, kind, task_id, round, ref, reason and
--      amount.
-- ----------------------------------------------------------------------
create or replace function internal.hold_take(
    i_hold       podi.hold,
    i_ttl        interval,
    i_idem       text,
    i_body_hash  bytea default null,
    i_trace      text default null,
    out o_hold    bigint,
    out o_events  jsonb)
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
    v_enter   record := internal.wallet_enter(i_hold.tenant_id,
                                              i_hold.wallet_id);
    v_wallet  podi.wallet := v_enter.o_wallet;
begin

    if v_wallet.available < i_hold.amount then
        raise exception '% points wanted, % available', i_hold.amount,
                        v_wallet.available
              using errcode = 'U0402',
                    detail = jsonb_build_object('required', i_hold.amount,
                                'available', v_wallet.available,
                                'missing', i_hold.amount
                                           - v_wallet.available)::text;
    end if;

    o_hold := internal.hold_allocate(i_hold, now() + i_ttl);
    o_events := internal.wallet_move((i_hold.tenant_id, i_hold.wallet_id,
                    'freeze', 'available', 'held', i_hold.amount, o_hold,
                    i_hold.task_id, null, null, i_idem, i_hold.ref,
                    i_hold.reason, i_body_hash, i_trace), v_wallet)
             || internal.wallet_low(i_hold.tenant_id, i_hold.wallet_id,
                    v_wallet.available - i_hold.amount, v_enter.o_low,
                    i_hold.task_id);
end
$$;
