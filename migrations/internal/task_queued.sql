-- ----------------------------------------------------------------------
-- internal.task_queued(task, trace, jobs, price, round, wallet, frozen)
--
--      The events of a task that was queued: itself, and what was frozen.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb for internal.event_append
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.task_make
-- ----------------------------------------------------------------------
create or replace function internal.task_queued(
    i_task    uuid,
    i_trace   text,
    i_jobs    int,
    i_price   bigint,
    i_round   int,
    i_wallet  uuid,
    i_frozen  bigint)
returns jsonb
language plpgsql
as $$
declare
    v_events  jsonb := jsonb_build_array(jsonb_build_object(
        'type', 'task.queued', 'task_id', i_task, 'trace_id', i_trace,
        'data', jsonb_build_object('jobs', i_jobs, 'price', i_price,
                                   'round', i_round)));
begin
    if i_wallet is null then
        return v_events;
    end if;

    return v_events || jsonb_set(internal.wallet_event('wallet.frozen',
               internal.tenant(), i_wallet, i_frozen, i_task),
               '{0,trace_id}', to_jsonb(i_trace));
end
$$;
