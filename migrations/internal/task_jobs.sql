-- ----------------------------------------------------------------------
-- internal.task_jobs(tenant, task)
--
--      The jobs of a task as clients see them.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb [{job_id, ord, key, action, input, inputs, needs, params,
--           state, price, rule_id, confirmed, charged, segment, segments,
--           progress, attempts, max_attempts, crashes, deferrals, error_code,
--           error_detail, failure (internal.job_failure, or null),
--           results: [media_id], created_at, started_at, ended_at}]
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.task_read, api.job_read
-- ----------------------------------------------------------------------
create or replace function internal.task_jobs(i_tenant uuid, i_task uuid)
returns jsonb
language sql stable
as $$
    select jsonb_agg(jsonb_build_object(
               'job_id', j.job_id, 'ord', j.ord, 'key', j.key,
               'action', j.action, 'input', j.inputs[1], 'inputs', j.inputs,
               'needs', case when j.key is null then jsonb '[]'
                        else internal.job_needs(j.job_id, j.tenant_id) end,
               'params', j.params, 'state', j.state, 'price', j.price,
               'rule_id', j.rule_id, 'confirmed', j.confirmed,
               'charged', coalesce(j.charged, j.confirmed),
               'segment', j.segment,
               'segments', coalesce(j.terms -> 'segments', '[]'),
               'progress', j.progress, 'attempts', j.attempts,
               'max_attempts', j.max_attempts, 'crashes', j.crashes,
               'deferrals', j.deferrals, 'error_code', j.error_code,
               'error_detail', j.error_detail,
               'failure', case when j.state in ('failed', 'cancelled')
                          then internal.job_failure(j) end,
               'results', (select coalesce(jsonb_agg(m.media_id order by m.ord,
                                                     m.media_id), '[]')
                             from podi.media m
                            where m.tenant_id = j.tenant_id
                                  and m.task_id = j.task_id
                                  and m.job_id = j.job_id),
               'created_at', internal.rfc3339(j.created_at),
               'started_at', internal.rfc3339(j.started_at),
               'ended_at', internal.rfc3339(j.ended_at)) order by j.ord)
      from podi.job j
     where j.tenant_id = i_tenant and j.task_id = i_task
$$;
