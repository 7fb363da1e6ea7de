-- ----------------------------------------------------------------------
-- internal.hold_movements(moves)
--
--      What the ledger has to say about moves: of each a confirm and a
--      release, when they are not 0.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the movements, in the order of the moves
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.hold_settle_moves
-- ----------------------------------------------------------------------
create or replace function internal.hold_movements(i_moves podi.hold_move[])
returns podi.movement[]
language plpgsql
as $$
begin
    return (
    select array_agg((m.tenant_id, h.wallet_id, o.op, 'held', o.credit,
                      o.amount, m.hold_id, m.task_id, m.job_id, null,
                      o.op || ':' || m.idem, m.ref, m.reason, m.body_hash,
                      m.trace_id)::podi.movement order by m.ord, o.op)
      from unnest(i_moves) m
     cross join lateral (
           select q.wallet_id from podi.hold q
            where q.hold_id = m.hold_id and q.tenant_id = m.tenant_id
            limit 1) h
     cross join lateral (
           values ('confirm', 'revenue', m.charge),
                  ('release', 'available', m.price - m.charge))
           o (op, credit, amount)
     where o.amount > 0);
end
$$;
