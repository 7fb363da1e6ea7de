-- ----------------------------------------------------------------------
-- internal.settle_events(task, job, state, action, input, charged, code,
--                        results, wallet)
--
--      What a user is told when one of his jobs was settled: the job, the
--      money, and the task when that ended too.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, events for event_append
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.job_settle
-- ----------------------------------------------------------------------
create or replace function internal.settle_events(
    i_task     podi.task_header,
    i_job      uuid,
    i_state    text,
    i_action   text,
    i_input    uuid,
    i_charged  bigint,
    i_code     text,
    i_results  jsonb,
    i_wallet   jsonb)
returns jsonb
language plpgsql
as $$
declare
    v_trace   jsonb := jsonb_build_object('trace_id', i_task.trace_id);
    v_events  jsonb;
begin
    v_events := jsonb_build_array(v_trace || jsonb_build_object(
        'type', 'job.' || i_state, 'task_id', i_task.task_id, 'job_id', i_job,
        'data', jsonb_build_object('action', i_action, 'input', i_input,
                                   'error_code', i_code, 'results', i_results,
                                   'charged', i_charged)));

    if i_wallet <> '[]' then
        v_events := v_events || (select jsonb_agg(v_trace || e.value)
                                   from jsonb_array_elements(i_wallet) e);
    end if;

    if i_task.jobs_open > 0 then
        return v_events;
    end if;

    return v_events || jsonb_build_array(v_trace || jsonb_build_object(
        'type', 'task.' || i_task.state, 'task_id', i_task.task_id,
        'data', jsonb_build_object('jobs', i_task.jobs_total,
                                   'succeeded', i_task.jobs_succeeded,
                                   'price', i_task.price,
                                   'charged', i_task.charged)));
end
$$;
