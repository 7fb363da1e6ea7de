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
--      again, in milliseconds: after this a push counts as lost.  The clock is
--      read once: an index cannot be searched for a function that is volatile.
-- ----------------------------------------------------------------------
create or replace function sys.job_dispatch(i_limit int, i_again_ms bigint)
returns table (job_id uuid, tenant_id uuid, queue text)
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_now  timestamptz := clock_timestamp();
begin
    return query
    select j.job_id, j.tenant_id, j.queue
      from job j
     where j.state = 'queued'
           and coalesce(j.pushed_at, timestamptz '-infinity')
               < v_now - i_again_ms * interval '1 millisecond'
           and j.not_before <= v_now
     order by coalesce(j.pushed_at, timestamptz '-infinity'), j.not_before
     limit i_limit;
end
$$;
