-- ----------------------------------------------------------------------
-- internal.invariant_wallet()
--
--      Every place where the books do not agree.  Invoker rights; sees all
--      tenants only from a sys function.
--
-- Returns:  inv, id: one row for each break
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.invariant_breaks
-- ----------------------------------------------------------------------
create or replace function internal.invariant_wallet()
returns table (inv text, id text)
language sql stable
set search_path = podi, pg_temp
as $$
    with lots as (
        select l.tenant_id, l.wallet_id, sum(l.avail) as avail,
               sum(l.held) as held
          from lot l group by 1, 2),
    holds as (
        select h.tenant_id, h.wallet_id,
               sum(h.amount - h.captured - h.released) as open
          from hold h group by 1, 2),
    allocs as (
        select a.tenant_id, a.hold_id, sum(a.amount) as amount,
               sum(a.captured) as captured, sum(a.released) as released,
               sum(a.refunded) as refunded
          from hold_alloc a group by 1, 2),
    lot_held as (
        select a.tenant_id, a.lot_id, sum(a.captured - a.refunded) as spent,
               sum(a.amount - a.captured - a.released) as open
          from hold_alloc a group by 1, 2)
    select 'I1 wallet.available = sum of lot.avail', w.wallet_id::text
      from wallet w left join lots l using (tenant_id, wallet_id)
     where w.available <> coalesce(l.avail, 0)
    union all
    select 'I2 wallet.held = sum of lot.held', w.wallet_id::text
      from wallet w left join lots l using (tenant_id, wallet_id)
     where w.held <> coalesce(l.held, 0)
    union all
    select 'I3 wallet.held = sum of open holds', w.wallet_id::text
      from wallet w left join holds h using (tenant_id, wallet_id)
     where w.held <> coalesce(h.open, 0)
    union all
    select 'I4 hold split = lot split', h.hold_id::text
      from hold h left join allocs a using (tenant_id, hold_id)
     where (h.amount, h.captured, h.released, h.refunded)
           is distinct from (a.amount, a.captured, a.released, a.refunded)
    union all
    select 'I4 lot split = hold split', 'lot ' || l.lot_id
      from lot l left join lot_held a using (tenant_id, lot_id)
     where (l.held, l.spent) <> (coalesce(a.open, 0), coalesce(a.spent, 0))
    union all
    select i.inv, i.id from internal.invariant_ledger() i
    union all
    select i.inv, i.id from internal.invariant_entry() i
$$;
