-- ----------------------------------------------------------------------
-- internal.job_hints(ids)
--
--      What Redis should know about those of these jobs that may start now.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb [{job_id, tenant_id, queue, priority, weight, cost, plan,
--           scopes}]: the _hints column; see sys.job_dispatch
-- Raises:   nothing
-- Writes:   nothing
-- Called:   whatever queues jobs
-- ----------------------------------------------------------------------
create or replace function internal.job_hints(i_ids uuid[])
returns jsonb
language sql
as $$
    select coalesce(jsonb_agg(jsonb_build_object(
               'job_id', j.job_id, 'tenant_id', j.tenant_id, 'queue', j.queue,
               'priority', j.priority, 'weight', p.weight, 'cost', a.cost,
               'plan', p.plan, 'scopes', to_jsonb(internal.job_scopes(
                   j.queue, j.action, j.tenant_id, j.user_id, a.gates)))
               order by j.task_id, j.ord), '[]')
      from podi.job j
      join podi.action a on a.action = j.action
      join podi.tenant t on t.tenant_id = j.tenant_id
      join podi.plan p on p.plan = t.plan
     where j.job_id = any (i_ids) and j.state = 'queued'
           and j.not_before <= clock_timestamp()
$$;
