-- ----------------------------------------------------------------------
-- internal.wallet_move(tenant, wallet, op, debit, credit, amount, idem, ...)
--
--      One movement of points: internal.ledger_write for one.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  events for internal.event_append
-- Raises:   as internal.ledger_write
-- Writes:   podi.wallet, podi.ledger
-- Called:   internal.hold_take, internal.lot_add,
--           internal.refund_make, internal.wallet_change
-- ----------------------------------------------------------------------
create or replace function internal.wallet_move(
    i_tenant     uuid,
    i_wallet     uuid,
    i_op         text,
    i_debit      text,
    i_credit     text,
    i_amount     bigint,
    i_idem       text,
    i_hold       bigint default null,
    i_task       uuid default null,
    i_job        uuid default null,
    i_lot        bigint default null,
    i_ref        text default null,
    i_reason     text default null,
    i_body_hash  bytea default null,
    i_trace      text default null)
returns jsonb
language plpgsql
as $$
begin
    return internal.ledger_write(array[(i_tenant, i_wallet, i_op, i_debit,
               i_credit, i_amount, i_hold, i_task, i_job, i_lot, i_idem, i_ref,
               i_reason, i_body_hash, i_trace)::podi.movement]);
end
$$;
