-- ----------------------------------------------------------------------
-- internal.ledger_write(movements)
--
--      Movements of points, in the order given: changes the balances of the
--      wallets and writes a ledger row for each.  Nothing but this and
--      internal.wallet_move writes podi.ledger, or a balance.
--      The caller holds the locks of the wallets, and moves the points of the
--      lots.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, an event for each movement but lapses, for event_append_all
-- Raises:   U0420 no such wallet, or no chain key
--           U0427 the ledger is ahead of its wallet
--           U0428 a movement was made before
--           23514 a balance would be negative
-- Writes:   podi.wallet, podi.ledger
-- Called:   internal.hold_settle_moves, internal.lot_lapse
-- ----------------------------------------------------------------------
create or replace function internal.ledger_write(i_moves podi.movement[])
returns jsonb
language plpgsql
as $$
declare
    v_rows  podi.ledger[] := internal.ledger_rows(i_moves);
    v_done  record;
begin
    with line as (
        select l.*, l.wallet_id is distinct from lead(l.wallet_id) over w as last
          from unnest(v_rows) with ordinality l
        window w as (order by l.wallet_id, l.seq)),
    booked as (
        update podi.wallet w
           set available = l.available_after, held = l.held_after, seq = l.seq,
               head = l.hash, low_until = case when w.low_until > l.available_after
                                               then w.low_until end
          from line l
         where l.last and w.wallet_id = l.wallet_id and w.tenant_id = l.tenant_id
        returning w.wallet_id, w.user_id),
    written as (
        insert into podi.ledger
        select r.* from unnest(v_rows) r
            on conflict do nothing
        returning 1)
    select (select count(*) from written) as n,
           jsonb_agg(jsonb_build_object(
               'tenant_id', l.tenant_id, 'user_id', b.user_id,
               'type', internal.ledger_event(l.op), 'task_id', l.task_id,
               'job_id', l.job_id, 'trace_id', i_moves[l.ordinality].trace_id,
               'data', jsonb_build_object('amount', l.amount,
                   'available', l.available_after, 'frozen', l.held_after,
                   'seq', l.seq)) order by l.ordinality)
               filter (where l.op <> 'lapse') as events
      into v_done
      from line l
      join booked b on b.wallet_id = l.wallet_id;

    if v_done.n < cardinality(i_moves) then
        perform internal.ledger_refuse(i_moves);
    end if;
    return coalesce(v_done.events, '[]');
end
$$;
