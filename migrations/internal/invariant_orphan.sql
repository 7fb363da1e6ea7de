-- ----------------------------------------------------------------------
-- internal.invariant_orphan()
--
--      Whether each row stands on the one it belongs to, where no foreign key
--      says so, in all tenants: on the hot path a key costs as much as the row.
--      Parents are never deleted, and each of these rows has one writer, which
--      has its parent in hand.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
--           I18 what belongs to nothing
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.invariant_breaks
-- ----------------------------------------------------------------------
create or replace function internal.invariant_orphan()
returns table (inv text, id text)
language sql stable
as $$
    select 'I18 job without its task', j.job_id::text
      from podi.job j
      left join podi.task_header t
        on t.task_id = j.task_id and t.tenant_id = j.tenant_id
     where t.task_id is null
    union all
    select 'I18 job without its hold', j.job_id::text
      from podi.job j
      left join podi.hold h
        on h.hold_id = j.hold_id and h.tenant_id = j.tenant_id
     where j.hold_id is not null and h.hold_id is null
    union all
    select 'I18 attempt without its job', a.job_id::text
      from podi.attempt a
      left join podi.job j
        on j.job_id = a.job_id and j.tenant_id = a.tenant_id
     where j.job_id is null
    union all
    select 'I18 allocation without its hold or lot', a.hold_id::text
      from podi.hold_alloc a
      left join podi.hold h
        on h.hold_id = a.hold_id and h.tenant_id = a.tenant_id
      left join podi.lot l
        on l.lot_id = a.lot_id and l.tenant_id = a.tenant_id
     where h.hold_id is null or l.lot_id is null
    union all
    select 'I18 entry without its wallet', l.wallet_id::text
      from podi.ledger l
      left join podi.wallet w
        on w.wallet_id = l.wallet_id and w.tenant_id = l.tenant_id
     where w.wallet_id is null
    union all
    select 'I18 result without its job', m.media_id::text
      from podi.media m
      left join podi.job j
        on j.job_id = m.job_id and j.tenant_id = m.tenant_id
           and j.task_id = m.task_id
     where m.job_id is not null and j.job_id is null
$$;
