-- ----------------------------------------------------------------------
-- sys.job_running()
--
--      What runs, and by which gates it came in: to build the gates of Redis
--      anew, and to hold them against the truth.
--
-- Returns:  job_id, fence, tenant_id, queue, priority, plan, scopes text[];
--           lease_ms, what is left of its lease, below 0 when it has run out
-- Raises:   nothing
-- Writes:   nothing
-- Called:   whatever keeps the gates in Redis
-- ----------------------------------------------------------------------
drop function if exists sys.job_running();
create or replace function sys.job_running()
returns table (
    job_id     uuid,
    fence      int,
    tenant_id  uuid,
    queue      text,
    priority   smallint,
    plan       text,
    scopes     text[],
    lease_ms   bigint)
language plpgsql security definer
set search_path = podi, pg_temp
set enable_seqscan = off
as $$
declare
    v_now  timestamptz := clock_timestamp();
begin
    return query
    select j.job_id, j.fence, j.tenant_id, j.queue, j.priority, t.plan,
           internal.job_scopes(j.queue, j.action, j.tenant_id, j.user_id, a.gates),
           (extract(epoch from j.lease_until - v_now) * 1000)::bigint
      from job j
      join action a on a.action = j.action
      join tenant t on t.tenant_id = j.tenant_id
     where j.state = 'running'
     order by j.job_id;
end
$$;
