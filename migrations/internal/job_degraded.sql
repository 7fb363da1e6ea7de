-- ----------------------------------------------------------------------
-- internal.job_degraded(job, tenant)
--
--      In which other way than the usual one a job is, or was, carried out,
--      as its user may know it: by whom is the operator's.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb {degraded: {why, set}}, set: params that were not those of
--           the user; {}: it was not, as far as its last attempt goes
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.job_read, api.job_explain
-- ----------------------------------------------------------------------
create or replace function internal.job_degraded(i_job uuid, i_tenant uuid)
returns jsonb
language sql stable
as $$
    select coalesce((
           select jsonb_build_object('degraded', jsonb_build_object(
                      'why', a.remote #> '{degraded,why}',
                      'set', coalesce(a.remote #> '{degraded,set}', '{}')))
             from (select t.remote
                     from podi.attempt t
                    where t.job_id = i_job and t.tenant_id = i_tenant
                    order by t.fence desc
                    limit 1) a
            where a.remote -> 'degraded' is not null), '{}')
$$;
