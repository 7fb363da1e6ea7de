-- ----------------------------------------------------------------------
-- sys.job_dispatch(limit, again)
--
--      What Redis should know and perhaps does not: due jobs that were never
--      pushed, and those that are queued although they were pushed long ago.
--      Reads only; who has pushed says so with sys.job_pushed.
--
-- Returns:  job_id, tenant_id, queue: hints, those never pushed first
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podi_dispatchd
--
--      again, in milliseconds: after this a push counts as lost.
-- ----------------------------------------------------------------------
create or replace function sys.job_dispatch(i_limit int, i_again_ms bigint)
returns table (job_id uuid, tenant_id uuid, queue text)
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
    return query
    select j.job_id, j.tenant_id, j.queue
      from job j
     where j.state = 'queued'
           and coalesce(j.pushed_at, timestamptz '-infinity')
               < clock_timestamp() - i_again_ms * interval '1 millisecond'
           and j.not_before <= clock_timestamp()
     order by coalesce(j.pushed_at, timestamptz '-infinity'), j.not_before
     limit i_limit;
end
$$;
