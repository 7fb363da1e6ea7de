-- ----------------------------------------------------------------------
-- internal.task_columns(task)
--
--      A task of the entered user with its jobs, as the submit answers it,
--      for the first time and for a repeated request.
--      Runs as its caller; called only by functions that pin search_path, and
--      made a part of their query.
--
-- Returns:  task_id, state, price, jobs_total, channel, hold_id, priority
--           (the word), on_failure, start_at, deadline_at, round, trace_id,
--           created_at, jobs jsonb [{job_id, key, action, input, inputs, needs,
--           state, price, rule_id}]
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.task_submit, api.task_submit_batch, api.task_retry
-- ----------------------------------------------------------------------
create or replace function internal.task_columns(i_task uuid)
returns table (
    task_id      uuid,
    state        text,
    price        bigint,
    jobs_total   int,
    channel      text,
    hold_id      bigint,
    priority     text,
    on_failure   text,
    start_at     timestamptz,
    deadline_at  timestamptz,
    round        smallint,
    trace_id     text,
    created_at   timestamptz,
    jobs         jsonb)
language sql stable
as $$
    select t.task_id, t.state, t.price, t.jobs_total, t.channel, t.hold_id,
           internal.priority_word(t.priority), t.on_failure, t.start_at,
           t.deadline_at, t.round, t.trace_id, t.created_at,
           (select jsonb_agg(jsonb_build_object(
                       'job_id', j.job_id, 'key', j.key, 'action', j.action,
                       'input', j.inputs[1], 'inputs', j.inputs,
                       'needs', case when j.key is null then jsonb '[]'
                                else internal.job_needs(j.job_id, j.tenant_id)
                                end,
                       'state', j.state, 'price', j.price,
                       'rule_id', j.rule_id) order by j.ord)
              from podi.job j
             where j.tenant_id = t.tenant_id and j.task_id = t.task_id)
      from podi.task_header t
     where t.task_id = i_task and t.tenant_id = internal.tenant()
           and t.user_id = internal.user_id()
$$;
