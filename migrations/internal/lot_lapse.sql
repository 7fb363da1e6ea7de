-- ----------------------------------------------------------------------
-- internal.lot_lapse(tenant, wallet)
--
--      Takes what is left in expired lots out of the wallet, one ledger row
--      a lot.  What such a lot has in holds stays, and can be captured.
--      The caller holds the wallet's row lock.  Invoker rights.
--
-- Returns:  the points that lapsed
-- Raises:   nothing
-- Writes:   podi.lot, podi.wallet, podi.ledger
-- Called:   internal.hold_freeze, internal.hold_lapse_all, internal.lot_sweep,
--           sys.wallet_grant
-- ----------------------------------------------------------------------
create or replace function internal.lot_lapse(i_tenant uuid, i_wallet uuid)
returns bigint
language plpgsql
set search_path = podi, pg_temp
as $$
declare
    v_lot   record;
    v_sum   bigint := 0;
begin
    for v_lot in
        select l.lot_id, l.avail, l.lapsed + l.avail as lapsed
          from lot l
         where l.tenant_id = i_tenant and l.wallet_id = i_wallet
           and l.avail > 0 and l.expires_at <= now()
         order by l.lot_id
    loop
        update lot l
           set avail = 0, lapsed = v_lot.lapsed
         where l.tenant_id = i_tenant and l.lot_id = v_lot.lot_id;

        -- a lot lapses again when a hold gives back: the total tells apart
        perform internal.wallet_move(i_tenant, i_wallet, 'lapse', 'available',
                'lapsed', v_lot.avail,
                'lapse:' || v_lot.lot_id || ':' || v_lot.lapsed,
                i_lot => v_lot.lot_id);
        v_sum := v_sum + v_lot.avail;
    end loop;
    return v_sum;
end
$$;
