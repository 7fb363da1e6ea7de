-- ----------------------------------------------------------------------
-- internal.hold_freeze(tenant, wallet, task, round, amount, ttl, trace)
--
--      Freezes the points for a round of a task.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  o_hold, o_events for internal.event_append
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
    i_ttl     interval,
    i_trace   text default null,
    out o_hold    bigint,
    out o_events  jsonb)
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
                  'freeze:' || i_task || ':' || i_round, null, i_trace);
    o_hold := v_done.o_hold;
    o_events := v_done.o_events;
end
$$;
