-- ----------------------------------------------------------------------
-- internal.lot_lapse(tenant, wallet)
--
--      Takes what is left in expired lots out of the wallet, one ledger row
--      a lot.  What such a lot has in holds stays, and can be captured.
--      The caller holds the wallet's row lock.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the points that lapsed
-- Raises:   nothing
-- Writes:   podi.lot, podi.wallet, podi.ledger
-- Called:   internal.wallet_enter, internal.hold_lapse_all, internal.lot_sweep,
--           sys.wallet_grant
-- ----------------------------------------------------------------------
create or replace function internal.lot_lapse(i_tenant uuid, i_wallet uuid)
returns bigint
language plpgsql
as $$
declare
    v_moves  podi.movement[];
    v_sum    bigint;
begin
    with dead as (
        update podi.lot l
           set avail = 0, lapsed = l.lapsed + l.avail
         where l.wallet_id = i_wallet and l.tenant_id = i_tenant
           and l.live and l.avail > 0 and l.expires_at <= now()
        returning l.lot_id, l.lapsed)
    -- a lot lapses again when a hold gives back: the total tells apart
    select array_agg((i_tenant, i_wallet, 'lapse', 'available', 'lapsed',
                      d.lapsed - o.lapsed, null, null, null, d.lot_id,
                      'lapse:' || d.lot_id || ':' || d.lapsed, null, null, null,
                      null)::podi.movement order by d.lot_id),
           coalesce(sum(d.lapsed - o.lapsed), 0)::bigint
      into v_moves, v_sum
      from dead d
      join podi.lot o on o.lot_id = d.lot_id and o.tenant_id = i_tenant;

    if v_moves is not null then
        perform internal.ledger_write(v_moves);
    end if;
    return v_sum;
end
$$;
