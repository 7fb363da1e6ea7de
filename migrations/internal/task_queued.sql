-- ----------------------------------------------------------------------
-- internal.task_queued(tenant, task, trace, jobs, price, round, wallet)
--
--      The events of a round of a task that was queued: itself, and that the
--      price was frozen in the wallet, if any.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb for internal.event_append
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.task_make, internal.task_reopen
-- ----------------------------------------------------------------------
create or replace function internal.task_queued(
    i_tenant  uuid,
    i_task    uuid,
    i_trace   text,
    i_jobs    int,
    i_price   bigint,
    i_round   int,
    i_wallet  uuid)
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
               i_tenant, i_wallet, i_price, i_task),
               '{0,trace_id}', to_jsonb(i_trace));
end
$$;
