-- ----------------------------------------------------------------------
-- sys.metrics()
--
--      What only the database knows, as gauges.  A queue of an action has its
--      gauges also when nothing is in it.
--
-- Returns:  name, labels jsonb {label: value}, value
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podi_janitord
-- ----------------------------------------------------------------------
create or replace function sys.metrics()
returns table (name text, labels jsonb, value double precision)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    with queues as (
        select a.queue from action a
         union
        select j.queue from job j where j.state in ('queued', 'running')
    )
    select s.name, jsonb_strip_nulls(jsonb_build_object('queue', q.queue,
                       'state', s.state)), s.n::float8
      from (select v.queue, count(*) filter (where j.state = 'running') as running,
                   count(*) filter (where j.state = 'queued'
                                          and j.not_before <= now()) as queued,
                   count(*) filter (where j.state = 'queued'
                                          and j.not_before > now()) as delayed,
                   (select count(*) from job a
                     where a.queue = v.queue and a.set_aside) as aside
              from queues v
              left join job j
                on j.queue = v.queue and j.state in ('queued', 'running')
             group by v.queue) q
     cross join lateral (values ('podi_queue_jobs', 'queued', q.queued),
                                ('podi_queue_jobs', 'delayed', q.delayed),
                                ('podi_queue_jobs', 'running', q.running),
                                ('podi_jobs_set_aside', null, q.aside))
                        s (name, state, n)
    union all
    select 'podi_queue_oldest_seconds', jsonb_build_object('queue', v.queue),
           extract(epoch from now() - coalesce(min(j.not_before), now()))::float8
      from queues v
      left join job j
        on j.queue = v.queue and j.state = 'queued' and j.not_before <= now()
     group by v.queue
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
      from hold h where h.captured + h.released < h.amount
    union all
    select 'podi_objects_doomed', jsonb '{}', count(*)::float8
      from media m where m.state in ('rejected', 'expired') and not m.object_gone
    union all
    select 'podi_users', jsonb_build_object('state', u.state), count(*)::float8
      from users u
     group by u.state
    union all
    select 'podi_workers', jsonb_build_object('daemon', w.daemon), count(*)::float8
      from worker w where w.seen_at > now() - interval '30 seconds'
     group by w.daemon;
end
$$;
