-- ----------------------------------------------------------------------
-- internal.task_columns(task)
--
--      A task of the entered user with its jobs, as the submit answers it,
--      for the first time and for a repeated request.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  task_id, state, price, jobs_total, channel, trace_id, created_at,
--           jobs jsonb [{job_id, action, input, state, price}]
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.task_submit
-- ----------------------------------------------------------------------
create or replace function internal.task_columns(i_task uuid)
returns table (
    task_id     uuid,
    state       text,
    price       bigint,
    jobs_total  int,
    channel     text,
    trace_id    text,
    created_at  timestamptz,
    jobs        jsonb)
language plpgsql
as $$
begin
    return query
    select t.task_id, t.state, t.price, t.jobs_total, t.channel, t.trace_id,
           t.created_at,
           (select jsonb_agg(jsonb_build_object(
                       'job_id', j.job_id, 'action', j.action,
                       'input', j.inputs[1], 'state', j.state,
                       'price', j.price) order by j.ord)
              from podi.job j
             where j.tenant_id = t.tenant_id and j.task_id = t.task_id)
      from podi.task_header t
     where t.task_id = i_task and t.tenant_id = internal.tenant()
           and t.user_id = internal.user_id();
end
$$;
