-- ----------------------------------------------------------------------
-- internal.job_needs(job, tenant)
--
--      The keys of the jobs that a job of a graph waits for.  Planned at each
--      call: who knows that there is no graph does not ask.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb [key], in the order of the graph
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.task_columns, internal.task_jobs
-- ----------------------------------------------------------------------
create or replace function internal.job_needs(i_job uuid, i_tenant uuid)
returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(q.key order by q.ord), '[]')
      from podi.job_need n
      join podi.job q
        on q.job_id = n.needs_job_id and q.tenant_id = n.tenant_id
     where n.job_id = i_job and n.tenant_id = i_tenant
$$;
