-- ----------------------------------------------------------------------
-- internal.job_blocked_by(job)
--
--      The jobs that a job still needs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb {jobs: [{job_id, key, state}]}
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.job_explain
-- ----------------------------------------------------------------------
create or replace function internal.job_blocked_by(i_job uuid)
returns jsonb
language plpgsql
as $$
begin
    return (
    select jsonb_build_object('jobs', coalesce(jsonb_agg(jsonb_build_object(
               'job_id', j.job_id, 'key', j.key, 'state', j.state)
               order by j.ord), '[]'))
      from podi.job_need n
      join podi.job j
        on j.job_id = n.needs_job_id and j.tenant_id = n.tenant_id
     where n.job_id = i_job and j.state <> 'succeeded');
end
$$;
