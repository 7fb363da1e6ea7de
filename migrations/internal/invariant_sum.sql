-- ----------------------------------------------------------------------
-- internal.invariant_sum()
--
--      Whether sums over everything agree, that no part of the rows can tell:
--      reads whole tables.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
--           I3   what a wallet holds is in its open holds
--           I4   a lot is split among holds as it is itself
--           I16  a budget has reserved what tasks hold of it
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.invariant_part
-- ----------------------------------------------------------------------
create or replace function internal.invariant_sum()
returns table (inv text, id text)
language sql stable
as $$
    with holds as (
        select h.tenant_id, h.wallet_id,
               sum(h.amount - h.captured - h.released) as open
          from podi.hold h
         where h.live
         group by h.tenant_id, h.wallet_id
    ), parts as (
        select a.tenant_id, a.lot_id, sum(a.captured - a.refunded) as spent,
               sum(a.amount - a.captured - a.released) as open
          from podi.hold_alloc a
         group by a.tenant_id, a.lot_id
    ), held as (
        select h.tenant_id, h.subject, h.meter, h.period, h.period_start,
               sum(h.reserved) as reserved
          from podi.quota_hold h
         where h.open
         group by h.tenant_id, h.subject, h.meter, h.period, h.period_start
    )
    select 'I3 wallet.held = sum of open holds', w.wallet_id::text
      from podi.wallet w
      left join holds h
        on h.tenant_id = w.tenant_id and h.wallet_id = w.wallet_id
     where w.held <> coalesce(h.open, 0)
    union all
    select 'I4 lot split = hold split', 'lot ' || l.lot_id
      from podi.lot l
      left join parts a on a.tenant_id = l.tenant_id and a.lot_id = l.lot_id
     where (l.held, l.spent) <> (coalesce(a.open, 0), coalesce(a.spent, 0))
    union all
    select 'I16 budget has reserved what tasks hold of it',
           concat_ws(' ', coalesce(u.subject, h.subject),
                     coalesce(u.meter, h.meter), coalesce(u.period, h.period))
      from podi.quota_use u
      full join held h
        on h.tenant_id = u.tenant_id and h.subject = u.subject
           and h.meter = u.meter and h.period = u.period
           and h.period_start = u.period_start
     where coalesce(u.reserved, 0) <> coalesce(h.reserved, 0)
$$;
