-- ----------------------------------------------------------------------
-- internal.invariant_payment()
--
--      Whether each task pays for itself, from its own user's wallet; all
--      tenants.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
--           I12  what pays for a task is its own hold, in its user's wallet
--           I13  the ledger confirms for each job what it was charged
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.invariant_breaks
-- ----------------------------------------------------------------------
create or replace function internal.invariant_payment()
returns table (inv text, id text)
language sql stable
as $$
    with paid as (
        select l.tenant_id, l.job_id, sum(l.amount) as confirmed
          from podi.ledger l
         where l.op = 'confirm' and (l.job_id is not null
                                     or l.task_id is not null)
         group by l.tenant_id, l.job_id
    )
    select 'I12 task is paid from its own hold', t.task_id::text
      from podi.task_header t
      left join podi.hold h
        on h.tenant_id = t.tenant_id and h.hold_id = t.hold_id
      left join podi.wallet w
        on w.tenant_id = h.tenant_id and w.wallet_id = h.wallet_id
     where t.hold_id is not null
           and (h.task_id, w.user_id) is distinct from (t.task_id, t.user_id)
    union all
    select 'I13 ledger confirms what a job was charged',
           coalesce(j.job_id, p.job_id)::text
      from podi.job j
      full join paid p on p.tenant_id = j.tenant_id and p.job_id = j.job_id
     where coalesce(p.confirmed, 0)
           is distinct from coalesce(j.charged, j.confirmed)
$$;
