-- ----------------------------------------------------------------------
-- internal.invariant_task()
--
--      What must never be, where work meets money and events; all tenants.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
--           I8   a job of a user that has ended has exactly one event of it
--                (unless it ended before the oldest event that was kept),
--                and one that has not has none
--           I9   a task agrees with its jobs: counts, charges, price, state
--           I11  the hold of a task that has ended has nothing left
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.invariant_breaks
-- ----------------------------------------------------------------------
create or replace function internal.invariant_task()
returns table (inv text, id text)
language sql stable
as $$
    with sums as (
        select j.tenant_id, j.task_id, count(*) as total,
               count(*) filter (where j.settled_fence is null) as open,
               count(*) filter (where j.state = 'succeeded') as succeeded,
               count(*) filter (where j.state = 'cancelled') as cancelled,
               sum(j.price) as price,
               sum(coalesce(j.charged, j.confirmed)) as charged,
               bool_or(j.state = 'running') as running
          from podi.job j
         group by j.tenant_id, j.task_id
    )
    select 'I8 one terminal event per job', j.job_id::text
      from podi.job j
      join podi.task_header t
        on t.task_id = j.task_id and t.tenant_id = j.tenant_id
      join podi.user_head u
        on u.tenant_id = j.tenant_id and u.user_id = j.user_id
      left join podi.user_event f
        on f.tenant_id = u.tenant_id and f.user_id = u.user_id
           and f.seq = u.floor + 1
      left join lateral (
           select count(*) filter (where e.type = 'job.' || j.state) as same,
                  count(*) as n
             from podi.user_event e
            where e.tenant_id = j.tenant_id and e.task_id = j.task_id
                  and e.job_id = j.job_id
                  and e.type in ('job.succeeded', 'job.failed',
                                 'job.cancelled')) e on true
     cross join lateral (
           select (j.settled_fence is not null)::int as due) s
     where (t.kind = 'user'
            and case t.round when 1 then (e.n, e.same) <> (s.due, s.due)
                else e.n > t.round or e.same < s.due end
            and (u.floor = 0 or j.ended_at is null or j.ended_at > f.at))
           or (t.kind = 'system' and e.n > 0)
    union all
    select 'I9 task agrees with its jobs', t.task_id::text
      from podi.task_header t
      left join sums s on s.tenant_id = t.tenant_id and s.task_id = t.task_id
     where (t.jobs_total, t.jobs_open, t.jobs_succeeded, t.jobs_cancelled,
            t.price, t.charged)
           is distinct from (s.total, s.open, s.succeeded, s.cancelled,
                             s.price, s.charged)
           or (t.state = 'queued' and s.running)
           or (t.jobs_open = 0
               and t.state <> internal.task_outcome(t.jobs_total,
                                                    t.jobs_succeeded,
                                                    t.jobs_cancelled))
    union all
    select 'I11 hold of an ended task is exhausted', h.hold_id::text
      from podi.hold h
      join podi.task_header t
        on t.tenant_id = h.tenant_id and t.task_id = h.task_id
     where t.ended_at is not null and h.captured + h.released <> h.amount
$$;
