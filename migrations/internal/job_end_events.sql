-- ----------------------------------------------------------------------
-- internal.job_end_events(ids, more)
--
--      The events of jobs that internal.job_end ended, and of their tasks if
--      they ended with them; more, the events of money and media, goes
--      between.  Tasks of the system have none.
--      Runs as its caller; called only by functions that pin search_path.
--      The limit makes a look-up of what the planner could take for a join of
--      all tasks.
--
-- Returns:  jsonb for event_append_all
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.job_end
-- ----------------------------------------------------------------------
create or replace function internal.job_end_events(i_ids uuid[], i_more jsonb)
returns jsonb
language sql
as $$
    with j as (
        select j.tenant_id, j.user_id, j.task_id, j.job_id, j.ord, j.state,
               j.action, j.inputs, j.error_code, t.trace_id
          from podi.job j
         cross join lateral (
               select h.* from podi.task_header h
                where h.task_id = j.task_id and h.tenant_id = j.tenant_id
                limit 1) t
         where j.job_id = any (i_ids) and t.kind = 'user'
    ), e as (
        select 1 as rank, j.task_id, j.ord::bigint as ord, jsonb_build_object(
                   'tenant_id', j.tenant_id, 'user_id', j.user_id,
                   'type', 'job.' || j.state, 'task_id', j.task_id,
                   'job_id', j.job_id, 'trace_id', j.trace_id,
                   'data', jsonb_build_object('action', j.action,
                       'input', j.inputs[1], 'error_code', j.error_code,
                       'results', jsonb_build_array(), 'charged', 0)) as event
          from j
        union all
        select 2, null, m.ordinality,
               m.value || coalesce((select jsonb_build_object('trace_id', j.trace_id)
                                      from j
                                     where j.task_id::text = m.value ->> 'task_id'
                                     limit 1), '{}')
          from jsonb_array_elements(i_more) with ordinality m
        union all
        select 3, t.task_id, 0, jsonb_build_object(
                   'tenant_id', t.tenant_id, 'user_id', t.user_id,
                   'type', 'task.' || t.state, 'task_id', t.task_id,
                   'trace_id', t.trace_id,
                   'data', jsonb_build_object('jobs', t.jobs_total,
                       'succeeded', t.jobs_succeeded, 'price', t.price,
                       'charged', t.charged))
          from podi.task_header t
         where (t.task_id, t.tenant_id) in (select j.task_id, j.tenant_id from j)
               and t.jobs_open = 0
    )
    select coalesce(jsonb_agg(e.event order by e.rank, e.task_id, e.ord), '[]')
      from e
$$;
