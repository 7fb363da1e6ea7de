-- ----------------------------------------------------------------------
-- internal.invariant_task(from, to)
--
--      What must never be, where work meets money and events, of the tasks
--      behind from and up to to.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
--           I5   the captures of a task's holds are what its jobs were charged
--                so far
--           I8   a job of a user that has ended has exactly one event of it
--                (unless it ended before the oldest event that was kept),
--                and one that has not has none
--           I9   a task agrees with its jobs: counts, charges, price, state
--           I12  a task is paid from its own hold
--           I13, I17, I18: of its jobs and its budgets
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.invariant_part
-- ----------------------------------------------------------------------
create or replace function internal.invariant_task(
    i_from  podi.row_place,
    i_to    podi.row_place)
returns table (inv text, id text)
language sql stable
as $$
    with t as materialized (
        select x.* from podi.task_header x
         where x.task_id > (i_from).a and x.task_id <= (i_to).a
    ), sums as materialized (
        select j.tenant_id, j.task_id, count(*) as total,
               count(*) filter (where j.settled_fence is null) as open,
               count(*) filter (where j.state = 'succeeded') as succeeded,
               count(*) filter (where j.state = 'cancelled') as cancelled,
               sum(j.price) as price,
               sum(coalesce(j.charged, j.confirmed)) as charged,
               bool_or(j.state = 'running') as running
          from podi.job j
         where j.task_id > (i_from).a and j.task_id <= (i_to).a
         group by j.tenant_id, j.task_id
    )
    select 'I5 holds capture their jobs'' charges', t.task_id::text
      from t
      left join sums s on s.tenant_id = t.tenant_id and s.task_id = t.task_id
      left join lateral (
           select sum(h.captured) as captured
             from podi.hold h
            where h.task_id = t.task_id and h.tenant_id = t.tenant_id) d on true
     where coalesce(d.captured, 0) is distinct from s.charged
    union all
    select i.inv, i.id from internal.invariant_told(i_from, i_to) i
    union all
    select i.inv, i.id from internal.invariant_job(i_from, i_to) i
    union all
    select i.inv, i.id from internal.invariant_quota(i_from, i_to) i
    union all
    select 'I9 task agrees with its jobs', t.task_id::text
      from t
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
    select 'I12 task is paid from its own hold', t.task_id::text
      from t
      left join podi.hold h
        on h.tenant_id = t.tenant_id and h.hold_id = t.hold_id
      left join podi.wallet w
        on w.tenant_id = h.tenant_id and w.wallet_id = h.wallet_id
     where t.hold_id is not null
           and (h.task_id, w.user_id) is distinct from (t.task_id, t.user_id)
$$;
