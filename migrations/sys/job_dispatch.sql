-- ----------------------------------------------------------------------
-- sys.job_dispatch(limit, again)
--
--      What Redis should know and perhaps does not: due jobs that were never
--      pushed, and those that are queued although they were pushed long ago.
--      Reads only; who has pushed says so with sys.job_pushed.
--
-- Returns:  hints, those never pushed first:
--           job_id, tenant_id, queue
--           priority  0 interactive, 1 normal, 2 batch
--           weight    turns of the tenant in a round, by its plan
--           cost      what the start weighs in rates
--           plan      by which tenant:* and user:* of sys.gates are chosen
--           scopes    text[], the gates it must pass, all or none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podi_dispatchd
--
--      again, in milliseconds: after this a push counts as lost.  The clock is
--      read once: an index cannot be searched for a function that is volatile.
-- ----------------------------------------------------------------------
drop function if exists sys.job_dispatch(int, bigint);
create or replace function sys.job_dispatch(i_limit int, i_again_ms bigint)
returns table (
    job_id     uuid,
    tenant_id  uuid,
    queue      text,
    priority   smallint,
    weight     smallint,
    cost       int,
    plan       text,
    scopes     text[])
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_now  timestamptz := clock_timestamp();
begin
    return query
    select j.job_id, j.tenant_id, j.queue, j.priority, p.weight, a.cost, p.plan,
           internal.job_scopes(j.queue, j.action, j.tenant_id, j.user_id, a.gates)
      from (select q.*, coalesce(q.pushed_at, timestamptz '-infinity') as was
              from job q
             where q.state = 'queued'
                   and coalesce(q.pushed_at, timestamptz '-infinity')
                       < v_now - i_again_ms * interval '1 millisecond'
                   and q.not_before <= v_now
             order by coalesce(q.pushed_at, timestamptz '-infinity'), q.not_before
             limit i_limit) j
      join action a on a.action = j.action
      join tenant t on t.tenant_id = j.tenant_id
      join plan p on p.plan = t.plan
     order by j.was, j.not_before;
end
$$;
