-- ----------------------------------------------------------------------
-- internal.invariant_wallet(from, to)
--
--      Whether wallets, of those behind from and up to to, are what their lots
--      add up to, and what the last entry of their ledger says.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.invariant_part
-- ----------------------------------------------------------------------
create or replace function internal.invariant_wallet(
    i_from  podi.row_place,
    i_to    podi.row_place)
returns table (inv text, id text)
language sql stable
as $$
    with w as materialized (
        select x.*, l.avail, l.lot_held, e.seq as last_seq, e.hash,
               e.available_after, e.held_after
          from podi.wallet x
          left join lateral (
               select sum(q.avail) as avail, sum(q.held) as lot_held
                 from podi.lot q
                where q.wallet_id = x.wallet_id and q.tenant_id = x.tenant_id
                      and q.live) l on true
          left join lateral (
               select q.seq, q.hash, q.available_after, q.held_after
                 from podi.ledger q
                where q.wallet_id = x.wallet_id and q.tenant_id = x.tenant_id
                order by q.seq desc limit 1) e on true
         where x.wallet_id > (i_from).a and x.wallet_id <= (i_to).a
    )
    select 'I1 wallet.available = sum of lot.avail', w.wallet_id::text
      from w where w.available <> coalesce(w.avail, 0)
    union all
    select 'I2 wallet.held = sum of lot.held', w.wallet_id::text
      from w where w.held <> coalesce(w.lot_held, 0)
    union all
    select 'I6 wallet knows how long its ledger is', w.wallet_id::text
      from w where w.seq <> coalesce(w.last_seq, 0)
    union all
    select 'I7 ledger replay = balance', w.wallet_id::text
      from w where (w.available, w.held) <> (coalesce(w.available_after, 0),
                                             coalesce(w.held_after, 0))
    union all
    select 'I14 wallet knows the end of its chain', w.wallet_id::text
      from w where w.head <> coalesce(w.hash, '')
$$;
