-- ----------------------------------------------------------------------
-- internal.hold_book_all(moves)
--
--      Writes the ledger of moves whose holds and lots are done: of each a
--      confirm and a release, when they are not 0, numbered without gaps in
--      the order of the moves, and the balances of their wallets.
--      The caller holds the locks of the wallets.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, an event for each ledger row
-- Raises:   23505 a move was made before; 23514 a balance would be negative
-- Writes:   podi.wallet, podi.ledger
-- Called:   internal.hold_settle_all
-- ----------------------------------------------------------------------
create or replace function internal.hold_book_all(i_moves podi.hold_move[])
returns jsonb
language plpgsql
as $$
declare
    v_events  jsonb;
begin
    with entry as (
        select m.*, h.wallet_id, o.*,
               row_number() over w as n,
               (sum(o.amount) over w)::bigint as gone,
               (sum(o.amount * o.rank) over w)::bigint as back
          from unnest(i_moves) m
         cross join lateral (
               select q.wallet_id from podi.hold q
                where q.hold_id = m.hold_id and q.tenant_id = m.tenant_id
                limit 1) h
         cross join lateral (
               values (0, m.charge, 'confirm', 'revenue', 'wallet.confirmed'),
                      (1, m.price - m.charge, 'release', 'available',
                       'wallet.released'))
               o (rank, amount, op, credit, type)
         where o.amount > 0
        window w as (partition by h.wallet_id, m.tenant_id
                     order by m.ord, o.rank rows unbounded preceding)),
    booked as (
        update podi.wallet w
           set available = w.available + t.back, held = w.held - t.gone,
               seq = w.seq + t.n
          from (select e.wallet_id, e.tenant_id, max(e.n) as n,
                       max(e.gone) as gone, max(e.back) as back
                  from entry e group by e.wallet_id, e.tenant_id) t
         where w.wallet_id = t.wallet_id and w.tenant_id = t.tenant_id
        returning w.wallet_id, w.tenant_id, w.user_id, w.seq - t.n as seq,
                  w.held + t.gone as held, w.available - t.back as available),
    line as (
        select e.*, b.user_id, b.seq + e.n as seq, b.held - e.gone as held,
               b.available + e.back as available
          from entry e
          join booked b on b.wallet_id = e.wallet_id
                       and b.tenant_id = e.tenant_id),
    written as (
        insert into podi.ledger (tenant_id, wallet_id, seq, op, debit, credit,
               amount, available_after, held_after, hold_id, task_id, job_id,
               idem)
        select l.tenant_id, l.wallet_id, l.seq, l.op, 'held', l.credit,
               l.amount, l.available, l.held, l.hold_id, l.task_id, l.job_id,
               l.op || ':' || l.idem
          from line l)
    select jsonb_agg(jsonb_build_object(
               'tenant_id', l.tenant_id, 'user_id', l.user_id,
               'type', l.type, 'task_id', l.task_id, 'job_id', l.job_id,
               'trace_id', l.trace_id,
               'data', jsonb_build_object('amount', l.amount,
                       'available', l.available, 'frozen', l.held,
                       'seq', l.seq)) order by l.ord, l.rank)
      into v_events
      from line l;
    return v_events;
end
$$;
