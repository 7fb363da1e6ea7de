-- ----------------------------------------------------------------------
-- internal.lot_sweep(limit)
--
--      Lets the expired lots of some wallets lapse.  Wallets are locked in
--      the order of their ids, those in use are left alone.  Invoker rights.
--
-- Returns:  how many wallets
-- Raises:   nothing
-- Writes:   podi.wallet, podi.lot, podi.ledger
-- Called:   sys.purge
-- ----------------------------------------------------------------------
create or replace function internal.lot_sweep(i_limit int)
returns bigint
language plpgsql
set search_path = podi, pg_temp
as $$
declare
    v_wallet  record;
    v_n       bigint := 0;
begin
    for v_wallet in
        select w.tenant_id, w.wallet_id
          from wallet w
         where (w.tenant_id, w.wallet_id) in (
               select l.tenant_id, l.wallet_id from lot l
                where l.live and l.avail > 0 and l.expires_at <= now()
                limit i_limit)
         order by w.wallet_id, w.tenant_id
           for update of w skip locked
    loop
        perform internal.lot_lapse(v_wallet.tenant_id, v_wallet.wallet_id);
        v_n := v_n + 1;
    end loop;
    return v_n;
end
$$;
