-- ----------------------------------------------------------------------
-- internal.job_make(task, jobs, inputs, asks)
--
--      Queues a job for each action on each input, in the order of the inputs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, the hints of internal.job_hints
-- Raises:   nothing
-- Writes:   podi.job
-- Called:   internal.task_make
--
--      asks: the rows of internal.task_plan as objects.
-- ----------------------------------------------------------------------
create or replace function internal.job_make(
    i_task    uuid,
    i_jobs    uuid[],
    i_inputs  uuid[],
    i_asks    jsonb[])
returns jsonb
language plpgsql
as $$
declare
    v_n  int := cardinality(i_asks);
begin
    insert into podi.job (tenant_id, job_id, task_id, user_id, ord, action,
                          queue, params, inputs, price, max_attempts, start_by)
    select internal.tenant(), i_jobs[(i.n - 1) * v_n + a.n], i_task,
           internal.user_id(), (i.n - 1) * v_n + a.n, a.ask ->> 'action',
           a.ask ->> 'queue', a.ask -> 'params', array[i.media_id],
           (a.ask ->> 'price')::bigint, (a.ask ->> 'max_attempts')::smallint,
           now() + (a.ask ->> 'max_wait_ms')::bigint * interval '1 millisecond'
      from unnest(i_inputs) with ordinality i (media_id, n)
     cross join unnest(i_asks) with ordinality a (ask, n);

    return internal.job_hints(i_jobs);
end
$$;
