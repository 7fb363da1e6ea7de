-- ----------------------------------------------------------------------
-- internal.invariant_job(from, to)
--
--      Whether the jobs and results of tasks, of those behind from and up to
--      to, are paid as the ledger says and have what they belong to.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
--           I13  the ledger confirms what a job was charged
--           I18  what a job or a result belongs to is there
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.invariant_task
-- ----------------------------------------------------------------------
create or replace function internal.invariant_job(
    i_from  podi.row_place,
    i_to    podi.row_place)
returns table (inv text, id text)
language sql stable
as $$
    with j as materialized (
        select x.* from podi.job x
         where x.task_id > (i_from).a and x.task_id <= (i_to).a
    )
    select 'I13 ledger confirms what a job was charged', j.job_id::text
      from j
      left join lateral (
           select sum(l.amount) as confirmed
             from podi.wallet w
             join podi.ledger l
               on l.wallet_id = w.wallet_id and l.tenant_id = w.tenant_id
                  and l.task_id = j.task_id and l.job_id = j.job_id
                  and l.op = 'confirm'
            where w.user_id = j.user_id and w.tenant_id = j.tenant_id) p on true
     where coalesce(p.confirmed, 0)
           is distinct from coalesce(j.charged, j.confirmed)
    union all
    select 'I18 job without its task', j.job_id::text
      from j
      left join podi.task_header t
        on t.task_id = j.task_id and t.tenant_id = j.tenant_id
     where t.task_id is null
    union all
    select 'I18 job without its hold', j.job_id::text
      from j
      left join podi.hold h
        on h.hold_id = j.hold_id and h.tenant_id = j.tenant_id
     where j.hold_id is not null and h.hold_id is null
    union all
    select 'I18 result without its job', m.media_id::text
      from podi.media m
      left join podi.job o
        on o.job_id = m.job_id and o.tenant_id = m.tenant_id
           and o.task_id = m.task_id
     where m.task_id > (i_from).a and m.task_id <= (i_to).a
           and m.job_id is not null and o.job_id is null
$$;
