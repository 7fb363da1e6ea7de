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
-- ----------------------------------------------------------------------
create or replace function internal.job_end_events(
    i_done   podi.job_done[],
    i_money  jsonb)
returns jsonb
language plpgsql
as $$
begin
    return (
    with d as (
        select u.*, u.n as place,
               row_number() over (partition by u.task_id order by u.n desc)
                   as back
          from unnest(i_done) with ordinality u (ord, tenant_id, user_id,
               task_id, job_id, state, action, input, code, price, confirmed,
               charged, fence, hold_id, results, media, trace_id, kind,
               task_state, jobs_total, jobs_open, jobs_succeeded, task_price,
               task_charged, n)
         where u.kind = 'user'
    ), e as (
        select d.place, 0 as rank, 0::bigint as nth, jsonb_build_object(
                   'tenant_id', d.tenant_id, 'user_id', d.user_id,
                   'type', 'job.' || d.state, 'task_id', d.task_id,
                   'job_id', d.job_id, 'trace_id', d.trace_id,
                   'data', jsonb_build_object('action', d.action,
                       'input', d.input, 'error_code', d.code,
                       'results', coalesce(d.media, '[]'),
                       'charged', d.charged)) as event
          from d
        union all
        select d.place, 1, m.ordinality, m.value
          from jsonb_array_elements(i_money) with ordinality m
          join d on d.job_id = (m.value ->> 'job_id')::uuid
        union all
        select d.place, 2, 0,
               jsonb_build_object(
                   'tenant_id', d.tenant_id, 'user_id', d.user_id,
                   'type', 'task.' || d.task_state, 'task_id', d.task_id,
                   'trace_id', d.trace_id,
                   'data', jsonb_build_object('jobs', d.jobs_total,
                       'succeeded', d.jobs_succeeded, 'price', d.task_price,
                       'charged', d.task_charged))
          from d
         where d.jobs_open = 0 and d.back = 1
    )
    select coalesce(jsonb_agg(e.event order by e.place, e.rank, e.nth), '[]')
      from e);
end
$$;
