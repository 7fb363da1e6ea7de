-- ----------------------------------------------------------------------
-- internal.ledger_rows(movements)
--
--      The ledger rows of movements, as internal.ledger_write will write
--      them: numbered without gaps behind the last row of each wallet, with
--      the balances after them, chained.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the rows, in the order of the movements; a movement of no wallet
--           has none
-- Raises:   U0420 there is no chain key
-- Writes:   nothing
-- Called:   internal.ledger_write
-- ----------------------------------------------------------------------
create or replace function internal.ledger_rows(i_moves podi.movement[])
returns podi.ledger[]
language plpgsql
as $$
declare
    v_at    timestamptz := clock_timestamp();
    v_rows  podi.ledger[];
begin
    with line as (
        select m.*, case row_number() over p when 1 then w.head end as head,
               row_number() over (order by m.wallet_id, m.ordinality) as n,
               w.seq + row_number() over p as seq,
               w.available + (sum(m.amount * ((m.credit = 'available')::int
                              - (m.debit = 'available')::int)) over p)::bigint
                   as available,
               w.held + (sum(m.amount * ((m.credit = 'held')::int
                         - (m.debit = 'held')::int)) over p)::bigint as held
          from unnest(i_moves) with ordinality m
         cross join lateral (
               select q.* from podi.wallet q
                where q.wallet_id = m.wallet_id and q.tenant_id = m.tenant_id
                limit 1) w
        window p as (partition by m.wallet_id order by m.ordinality
                     rows unbounded preceding)),
    said as (
        select array_agg(l.head order by l.n) as heads,
               array_agg(internal.ledger_text(l.tenant_id, l.wallet_id, l.seq,
                   l.op, l.debit, l.credit, l.amount, l.available, l.held,
                   l.hold_id, l.task_id, l.job_id, l.lot_id, v_at, l.body_hash,
                   l.idem, l.ref, l.reason) order by l.n) as texts
          from line l)
    select array_agg((l.tenant_id, l.wallet_id, l.seq, l.op, l.debit, l.credit,
                      l.amount, l.available, l.held, l.hold_id, l.task_id,
                      l.job_id, l.lot_id, l.idem, l.reason, v_at, l.ref,
                      l.body_hash, c.o_key, c.o_hashes[l.n])::podi.ledger
                     order by l.ordinality)
      into v_rows
      from said s
     cross join lateral internal.chain_mac(s.heads, s.texts) c
     cross join line l;
    return v_rows;
end
$$;
