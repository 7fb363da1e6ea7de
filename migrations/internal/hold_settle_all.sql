-- ----------------------------------------------------------------------
-- internal.hold_settle_all(moves)
--
--      internal.hold_settle_moves for who has the moves in JSON.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb for event_append_all, in the order of the moves
-- Raises:   as internal.hold_settle_moves
-- Writes:   podi.wallet, podi.hold, podi.hold_alloc, podi.lot, podi.ledger
-- Called:   internal.hold_settle, whatever ends shares of holds
--
--      moves: [{tenant_id, hold_id, task_id, job_id, price, charge, idem,
--      trace_id, ref?, reason?, body_hash?}]; idem is what makes the ledger
--      rows of a move unique in its wallet.
-- ----------------------------------------------------------------------
create or replace function internal.hold_settle_all(i_moves jsonb)
returns jsonb
language plpgsql
as $$
begin
    return internal.hold_settle_moves(array(
        select (m.*)::podi.hold_move
          from rows from (jsonb_to_recordset(i_moves)
                          as (tenant_id uuid, hold_id bigint, task_id uuid,
                              job_id uuid, price bigint, charge bigint,
                              idem text, trace_id text, ref text, reason text,
                              body_hash bytea)) with ordinality m));
end
$$;
