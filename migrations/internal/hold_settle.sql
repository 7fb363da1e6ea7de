-- ----------------------------------------------------------------------
-- internal.hold_settle(tenant, hold, task, job, price, charge)
--
--      Ends one job's share of a hold: captures the charge, gives back the
--      rest of the price.  Expired lots lapse first, so that the events tell
--      what can be spent; what goes back to one lapses at once.
--      Locks the wallet, then the hold.  Invoker rights.
--
-- Returns:  wallet events for internal.event_append; empty for price 0
-- Raises:   U0421 no such hold, or it has less left than the price
--           U0422 the charge is not between 0 and the price
--           23505 the job was settled before
-- Writes:   podi.wallet, podi.hold, podi.hold_alloc, podi.lot, podi.ledger
-- Called:   internal.job_end_effects, sys.job_settle
-- ----------------------------------------------------------------------
create or replace function internal.hold_settle(
    i_tenant  uuid,
    i_hold    bigint,
    i_task    uuid,
    i_job     uuid,
    i_price   bigint,
    i_charge  bigint)
returns jsonb
language plpgsql
set search_path = podi, pg_temp
as $$
declare
    v_back    bigint := i_price - i_charge;
    v_hold    record;
    v_events  jsonb := '[]';
begin
    if i_charge < 0 or v_back < 0 then
        raise exception 'charge % of price %', i_charge, i_price
              using errcode = 'U0422', detail = '{"field":"charge"}';
    end if;
    if i_price = 0 then
        return v_events;
    end if;

    v_hold := internal.hold_draw(i_tenant, i_hold, i_charge, v_back);
    perform internal.lot_lapse(i_tenant, v_hold.o_wallet);
    perform internal.hold_split(i_tenant, i_hold, v_hold.o_captured,
                                v_hold.o_released);

    if i_charge > 0 then
        perform internal.wallet_move(i_tenant, v_hold.o_wallet, 'confirm',
                'held', 'revenue', i_charge, 'confirm:' || i_job,
                i_hold, i_task, i_job);
        v_events := v_events || internal.wallet_event('wallet.confirmed',
                    i_tenant, v_hold.o_wallet, i_charge, i_task, i_job);
    end if;

    if v_back > 0 then
        perform internal.wallet_move(i_tenant, v_hold.o_wallet, 'release',
                'held', 'available', v_back, 'release:' || i_job,
                i_hold, i_task, i_job);
        perform internal.lot_lapse(i_tenant, v_hold.o_wallet);
        v_events := v_events || internal.wallet_event('wallet.released',
                    i_tenant, v_hold.o_wallet, v_back, i_task, i_job);
    end if;
    return v_events;
end
$$;
