-- ----------------------------------------------------------------------
-- internal.task_queued(task, trace, jobs, price, round, money)
--
--      The events of a round of a task that was queued: itself, and then what
--      internal.hold_freeze told of its price, if it has one.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb for internal.event_append
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.task_make, internal.task_reopen
-- ----------------------------------------------------------------------
create or replace function internal.task_queued(
    i_task   uuid,
    i_trace  text,
    i_jobs   int,
    i_price  bigint,
    i_round  int,
    i_money  jsonb)
returns jsonb
language plpgsql
as $$
begin
    return jsonb_build_array(jsonb_build_object(
               'type', 'task.queued', 'task_id', i_task, 'trace_id', i_trace,
               'data', jsonb_build_object('jobs', i_jobs, 'price', i_price,
                                          'round', i_round)))
           || coalesce(i_money, '[]');
end
$$;
