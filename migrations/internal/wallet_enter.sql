-- ----------------------------------------------------------------------
-- internal.wallet_enter(tenant, wallet)
--
--      Locks a wallet from which points are to be taken, and lets its expired
--      lots lapse, so that what its row says can be spent.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  o_wallet, its row; o_low: below this wallet.low is to be told,
--           NULL: it is not
-- Raises:   U0420 no such wallet
-- Writes:   podi.wallet, podi.lot, podi.ledger, when something lapses
-- Called:   internal.hold_take, internal.wallet_change,
--           sys.wallet_refund
--
--      Two statements: who waited for the lock must not see the lots as they
--      were before.
-- ----------------------------------------------------------------------
drop function if exists internal.wallet_enter(uuid, uuid);
create or replace function internal.wallet_enter(
    i_tenant  uuid,
    i_wallet  uuid,
    out o_wallet  podi.wallet,
    out o_low     bigint)
language plpgsql
as $$
declare
    v_dead  bigint;
begin
    select w.* into o_wallet
      from podi.wallet w
     where w.wallet_id = i_wallet and w.tenant_id = i_tenant
       for update;
    if not found then
        raise exception 'no wallet %', i_wallet using errcode = 'U0420';
    end if;

    select case when o_wallet.low_until is null
                then nullif(coalesce(o_wallet.low_points, p.low_points), 0) end,
           (select sum(l.avail)::bigint from podi.lot l
             where l.wallet_id = i_wallet and l.tenant_id = i_tenant
               and l.live and l.expires_at <= now())
      into o_low, v_dead
      from podi.tenant t, podi.plan p
     where t.tenant_id = i_tenant and p.plan = t.plan;

    if v_dead > 0 then
        perform internal.lot_lapse(i_tenant, i_wallet);
        select w.* into o_wallet
          from podi.wallet w
         where w.wallet_id = i_wallet and w.tenant_id = i_tenant;
    end if;
end
$$;
