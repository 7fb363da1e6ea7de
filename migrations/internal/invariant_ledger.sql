-- ----------------------------------------------------------------------
-- internal.invariant_ledger()
--
--      Whether ledgers and events are dense and the ledger explains every
--      balance.  Invoker rights; sees all tenants only from a sys function.
--
-- Returns:  inv, id: one row for each break
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.invariant_wallet
-- ----------------------------------------------------------------------
create or replace function internal.invariant_ledger()
returns table (inv text, id text)
language sql stable
set search_path = podi, pg_temp
as $$
    with replay as (
        select l.tenant_id, l.wallet_id, l.seq, l.available_after,
               l.held_after,
               row_number() over w as n,
               sum(l.amount * ((l.credit = 'available')::int
                               - (l.debit = 'available')::int)) over w as available,
               sum(l.amount * ((l.credit = 'held')::int
                               - (l.debit = 'held')::int)) over w as held
          from ledger l
        window w as (partition by l.tenant_id, l.wallet_id order by l.seq
                     rows unbounded preceding)),
    final as (
        select distinct on (r.tenant_id, r.wallet_id) r.*
          from replay r
         order by r.tenant_id, r.wallet_id, r.seq desc),
    told as (
        select e.tenant_id, e.user_id, count(*) as n, min(e.seq) as first,
               max(e.seq) as last
          from user_event e group by 1, 2)
    select 'I14 wallet knows the end of its chain', w.wallet_id::text
      from wallet w
      left join ledger l
        on l.tenant_id = w.tenant_id and l.wallet_id = w.wallet_id
           and l.seq = w.seq
     where w.head <> coalesce(l.hash, '')
    union all
    select 'I6 ledger is dense', w.wallet_id::text
      from wallet w left join final f using (tenant_id, wallet_id)
     where (w.seq, w.seq) <> (coalesce(f.seq, 0), coalesce(f.n, 0))
    union all
    select 'I7 ledger replay = balance', w.wallet_id::text
      from wallet w left join final f using (tenant_id, wallet_id)
     where (w.available, w.held)
           <> (coalesce(f.available, 0), coalesce(f.held, 0))
    union all
    select 'I7 ledger row = replay', r.wallet_id || ' ' || r.seq
      from replay r
     where (r.available_after, r.held_after) <> (r.available, r.held)
    union all
    select 'I10 events are dense', h.user_id::text
      from user_head h left join told t using (tenant_id, user_id)
     where coalesce(t.n, 0) <> h.top - h.floor
        or t.first <> h.floor + 1 or t.last <> h.top
$$;
