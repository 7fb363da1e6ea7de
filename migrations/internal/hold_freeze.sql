-- ----------------------------------------------------------------------
-- internal.hold_freeze(tenant, wallet, task, round, amount, ttl)
--
--      Freezes the points for a round of a task.  Its caller tells it by
--      internal.wallet_event; who wants the events as they are made calls
--      internal.hold_take.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  hold_id
-- Raises:   as internal.hold_take
-- Writes:   podi.wallet, podi.hold, podi.lot, podi.hold_alloc, podi.ledger
-- Called:   internal.task_make, internal.task_reopen
-- ----------------------------------------------------------------------
create or replace function internal.hold_freeze(
    i_tenant  uuid,
    i_wallet  uuid,
    i_task    uuid,
    i_round   int,
    i_amount  bigint,
    i_ttl     interval)
returns bigint
language plpgsql
as $$
declare
    v_hold  podi.hold;
    v_done  record;
begin
    v_hold.tenant_id := i_tenant;
    v_hold.wallet_id := i_wallet;
    v_hold.kind := 'task';
    v_hold.task_id := i_task;
    v_hold.round := i_round;
    v_hold.amount := i_amount;

    v_done := internal.hold_take(v_hold, i_ttl,
                                 'freeze:' || i_task || ':' || i_round);
    return v_done.o_hold;
end
$$;
