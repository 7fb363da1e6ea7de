-- ----------------------------------------------------------------------
-- sys.metrics()
--
--      What only the database knows, as gauges.
--
-- Returns:  name, labels jsonb {label: value}, value
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podi_dispatchd
-- ----------------------------------------------------------------------
create or replace function sys.metrics()
returns table (name text, labels jsonb, value double precision)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select 'podi_queue_jobs', jsonb_build_object('queue', q.queue,
                                                 'state', s.state), s.n::float8
      from (select j.queue, count(*) filter (where j.state = 'running') as running,
                   count(*) filter (where j.state = 'queued'
                                          and j.not_before <= now()) as queued,
                   count(*) filter (where j.state = 'queued'
                                          and j.not_before > now()) as delayed
              from (select a.queue from action a group by a.queue) a
              left join job j
                on j.queue = a.queue and j.state in ('queued', 'running')
             group by j.queue) q
     cross join lateral (values ('queued', q.queued), ('delayed', q.delayed),
                                ('running', q.running)) s (state, n)
     where q.queue is not null
    union all
    select 'podi_queue_oldest_seconds', jsonb_build_object('queue', j.queue),
           extract(epoch from now() - min(j.not_before))::float8
      from job j
     where j.state = 'queued' and j.not_before <= now()
     group by j.queue
    union all
    select 'podi_queue_unpushed_jobs', jsonb '{}', count(*)::float8
      from job j
     where j.state = 'queued' and j.not_before <= now() and j.pushed_at is null
    union all
    select 'podi_leases_expired', jsonb '{}', count(*)::float8
      from job j
     where j.state = 'running' and j.lease_until < now()
    union all
    select 'podi_tasks_open', jsonb_build_object('state', t.state), count(*)::float8
      from task_header t
     where t.ended_at is null
     group by t.state
    union all
    select 'podi_holds_open', jsonb '{}', count(*)::float8
      from hold h
     where h.captured + h.released < h.amount
    union all
    select 'podi_users', jsonb_build_object('state', u.state), count(*)::float8
      from users u
     group by u.state
    union all
    select 'podi_workers', jsonb_build_object('daemon', w.daemon), count(*)::float8
      from worker w
     where w.seen_at > now() - interval '30 seconds'
     group by w.daemon;
end
$$;
