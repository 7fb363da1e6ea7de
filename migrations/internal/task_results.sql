-- ----------------------------------------------------------------------
-- internal.task_results(tenant, task)
--
--      What the jobs of a task delivered, as media.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb [{media_id, job_id, name, type, bytes, sha256, width,
--           height, parents: [media_id], created_at}]
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.task_read
-- ----------------------------------------------------------------------
create or replace function internal.task_results(i_tenant uuid, i_task uuid)
returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(jsonb_build_object(
               'media_id', m.media_id, 'job_id', m.job_id, 'name', m.name,
               'type', m.type, 'bytes', m.bytes, 'sha256', m.sha256,
               'width', m.width, 'height', m.height,
               'parents', internal.media_parents(m.tenant_id, m.media_id),
               'created_at', internal.rfc3339(m.created_at))
               order by m.media_id), '[]')
      from podi.media m
     where m.tenant_id = i_tenant and m.task_id = i_task
$$;
