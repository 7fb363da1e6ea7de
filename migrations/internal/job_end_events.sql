-- ----------------------------------------------------------------------
-- internal.job_end_events(done, money)
--
--      The events of jobs that have ended: of each itself, its money, and its
--      task when it was the last one of it.  Tasks of the system have none.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb for event_append_all
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.job_end_effects
--
--      money: what internal.hold_settle_moves told, in the order of the jobs.
-- ----------------------------------------------------------------------
create or replace function internal.job_end_events(
    i_done   podi.job_done[],
    i_money  jsonb)
returns jsonb
language plpgsql
as $$
declare
    v_tasks   uuid[];
    v_done    podi.job_done;
    v_whose   jsonb;
    v_n       int := 0;
    v_events  jsonb[] := '{}';
begin
    if cardinality(i_done) > 1 then
        v_tasks := array(select d.task_id from unnest(i_done) d);
    end if;

    for i in 1 .. cardinality(i_done) loop
        v_done := i_done[i];
        continue when v_done.kind <> 'user';

        v_whose := jsonb_build_object(
            'tenant_id', v_done.tenant_id, 'user_id', v_done.user_id,
            'task_id', v_done.task_id, 'trace_id', v_done.trace_id);
        v_events := v_events || (v_whose || jsonb_build_object(
            'type', 'job.' || v_done.state, 'job_id', v_done.job_id,
            'data', jsonb_build_object('action', v_done.action,
                'input', v_done.input, 'error_code', v_done.code,
                'results', coalesce(v_done.media, '[]'),
                'charged', v_done.charged)));

        while i_money -> v_n ->> 'job_id' = v_done.job_id::text loop
            v_events := v_events || (i_money -> v_n);
            v_n := v_n + 1;
        end loop;

        -- the task ends after the last of its jobs
        if v_done.jobs_open = 0
           and (v_tasks is null or v_done.task_id <> all (v_tasks[i + 1:]))
        then
            v_events := v_events || (v_whose || jsonb_build_object(
                'type', 'task.' || v_done.task_state,
                'data', jsonb_build_object('jobs', v_done.jobs_total,
                    'succeeded', v_done.jobs_succeeded,
                    'price', v_done.task_price,
                    'charged', v_done.task_charged)));
        end if;
    end loop;

    return to_jsonb(v_events);
end
$$;
