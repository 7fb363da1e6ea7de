-- ----------------------------------------------------------------------
-- sys.remote_left(queue, limit, wait_ms)
--
--      Takes what attempts of a queue have left elsewhere, and nobody waits
--      for: because their jobs have ended, or because their holders gave it up.
--      It is to be cancelled and removed there.
--
-- Returns:  job_id, fence, provider, ref, remote, remote_state, as it was;
--           outcome of the attempt; age_ms since that; params that it was asked
--           with, of the job and of its action; told: somebody was told already
--           that nobody knows whether it was begun
-- Raises:   nothing
-- Writes:   podi.attempt
-- Called:   what runs jobs elsewhere, now and then
--
--      What is taken is left from now on: whoever begins the job again, for its
--      user, does not take it over.
--      Nobody else gets a row for wait_ms, which doubles with each time, up to
--      ten minutes; who brings it to its end says so, see sys.remote_end.
-- ----------------------------------------------------------------------
drop function if exists sys.remote_left(text, int);
create or replace function sys.remote_left(
    i_queue    text,
    i_limit    int,
    i_wait_ms  int)
returns table (
    job_id        uuid,
    fence         int,
    provider      text,
    ref           text,
    remote        jsonb,
    remote_state  text,
    outcome       text,
    age_ms        bigint,
    params        jsonb,
    told          boolean)
language plpgsql security definer
set search_path = podi, pg_temp
set enable_seqscan = off
as $$
declare
    v_now  timestamptz := clock_timestamp();
begin
    return query
    with due as (
        select t.tenant_id, t.job_id, t.fence, t.remote_state as was,
               j.params || coalesce(internal.executor_now(a.executor, j.job_id,
                               j.tenant_id, t.fence) -> 'set', '{}') as params,
               j.error_code is not distinct from 'provider_unknown' as told
          from attempt t
          join job j on j.job_id = t.job_id and j.tenant_id = t.tenant_id
          join action a on a.action = j.action
         where t.remote_state in ('intended', 'submitted', 'left')
               and t.outcome <> 'running' and j.queue = i_queue
               and (t.remote_state = 'left' or j.settled_fence is not null)
               and coalesce(t.left_next, t.ended_at) <= v_now
         order by coalesce(t.left_next, t.ended_at)
         limit i_limit
           for update of t skip locked)
    update attempt t
       set remote_state = 'left', left_tries = t.left_tries + 1,
           left_next = v_now + interval '1 ms' * least(
               i_wait_ms * 2.0 ^ least(t.left_tries, 30),
               greatest(i_wait_ms, 600000))
      from due d
     where t.job_id = d.job_id and t.fence = d.fence
           and t.tenant_id = d.tenant_id
    returning t.job_id, t.fence, t.provider, t.provider_ref, t.remote,
              d.was, t.outcome,
              (extract(epoch from v_now - t.ended_at) * 1000)::bigint, d.params,
              d.told;
end
$$;
