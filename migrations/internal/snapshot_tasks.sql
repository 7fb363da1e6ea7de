-- ----------------------------------------------------------------------
-- internal.snapshot_tasks(tenant, user)
--
--      The tasks in which something may still happen or just did.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, see api.event_snapshot
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.event_snapshot
-- ----------------------------------------------------------------------
create or replace function internal.snapshot_tasks(i_tenant uuid, i_user uuid)
returns jsonb
language sql stable
as $$
    with recent as (
        (select t.* from podi.task_header t
          where t.tenant_id = i_tenant and t.user_id = i_user
                and t.kind = 'user' and t.ended_at is null
          order by t.task_id desc
          limit 100)
        union all
        (select r.* from (select t.* from podi.task_header t
                           where t.tenant_id = i_tenant and t.user_id = i_user
                                 and t.kind = 'user'
                           order by t.task_id desc
                           limit 100) r
          where r.ended_at > now() - interval '1 hour')
    ), t as (
        select r.* from recent r order by r.task_id desc limit 100
    )
    select coalesce(jsonb_agg(jsonb_build_object(
               'task_id', t.task_id, 'state', t.state, 'price', t.price,
               'charged', t.charged, 'jobs_total', t.jobs_total,
               'jobs_open', t.jobs_open, 'jobs_succeeded', t.jobs_succeeded,
               'trace_id', t.trace_id,
               'created_at', internal.rfc3339(t.created_at),
               'started_at', internal.rfc3339(t.started_at),
               'ended_at', internal.rfc3339(t.ended_at),
               'cancel_requested_at', internal.rfc3339(t.cancel_requested_at),
               'jobs', (select jsonb_agg(jsonb_build_object(
                                   'job_id', j.job_id, 'action', j.action,
                                   'input', j.inputs[1], 'state', j.state,
                                   'progress', j.progress,
                                   'error_code', j.error_code) order by j.ord)
                          from podi.job j
                         where j.tenant_id = t.tenant_id
                               and j.task_id = t.task_id))
               order by t.task_id desc), '[]')
      from t
$$;
