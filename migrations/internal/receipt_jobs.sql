-- ----------------------------------------------------------------------
-- internal.receipt_jobs(tenant, task)
--
--      The jobs of a task as a receipt has them.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb [{job_id, action, state, price, charged, error_code,
--           results: [{media_id, type, bytes, sha256}]}], in their order
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.task_receipt
-- ----------------------------------------------------------------------
create or replace function internal.receipt_jobs(i_tenant uuid, i_task uuid)
returns jsonb
language sql stable
as $$
    select jsonb_agg(jsonb_build_object(
               'job_id', j.job_id, 'action', j.action, 'state', j.state,
               'price', j.price, 'charged', coalesce(j.charged, 0),
               'error_code', j.error_code,
               'results', (select coalesce(jsonb_agg(jsonb_build_object(
                                      'media_id', m.media_id, 'type', m.type,
                                      'bytes', m.bytes, 'sha256', m.sha256)
                                      order by m.ord, m.media_id), '[]')
                             from podi.media m
                            where m.tenant_id = j.tenant_id
                                  and m.task_id = j.task_id
                                  and m.job_id = j.job_id)) order by j.ord)
      from podi.job j
     where j.tenant_id = i_tenant and j.task_id = i_task
$$;
