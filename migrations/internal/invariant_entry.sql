-- ----------------------------------------------------------------------
-- internal.invariant_entry(from, to)
--
--      Whether entries of ledgers, of those behind from and up to to, follow
--      the one before them, and name a hold and a job that are there.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.invariant_part
--
--      Each follows its neighbour: then all do.
-- ----------------------------------------------------------------------
create or replace function internal.invariant_entry(
    i_from  podi.row_place,
    i_to    podi.row_place)
returns table (inv text, id text)
language sql stable
as $$
    with l as materialized (
        select x.*, w.wallet_id is null as lost, p.seq as before,
               coalesce(p.available_after, 0) + x.amount
                   * ((x.credit = 'available')::int
                      - (x.debit = 'available')::int) as available,
               coalesce(p.held_after, 0) + x.amount
                   * ((x.credit = 'held')::int
                      - (x.debit = 'held')::int) as held,
               x.hold_id is not null and h.hold_id is null as no_hold,
               x.op = 'confirm' and j.job_id is null
               and num_nonnulls(x.job_id, x.task_id) > 0 as no_job
          from podi.ledger x
          left join podi.wallet w
            on w.wallet_id = x.wallet_id and w.tenant_id = x.tenant_id
          left join podi.ledger p
            on p.wallet_id = x.wallet_id and p.tenant_id = x.tenant_id
               and p.seq = x.seq - 1
          left join podi.hold h
            on h.hold_id = x.hold_id and h.tenant_id = x.tenant_id
               and h.wallet_id = x.wallet_id
               and h.task_id is not distinct from x.task_id
          left join podi.job j
            on j.job_id = x.job_id and j.tenant_id = x.tenant_id
         where (x.wallet_id, x.tenant_id, x.seq)
               > ((i_from).a, (i_from).b, (i_from).n)
               and (x.wallet_id, x.tenant_id, x.seq)
                   <= ((i_to).a, (i_to).b, (i_to).n)
    )
    select 'I6 ledger is dense', l.wallet_id || ' ' || l.seq
      from l where l.seq <> coalesce(l.before, 0) + 1
    union all
    select 'I7 ledger row = replay', l.wallet_id || ' ' || l.seq
      from l where (l.available_after, l.held_after) <> (l.available, l.held)
    union all
    select 'I13 ledger confirms what a job was charged',
           l.wallet_id || ' ' || l.seq
      from l where l.no_job
    union all
    select 'I15 ledger tells what a hold did', l.wallet_id || ' ' || l.seq
      from l where l.no_hold
    union all
    select 'I18 entry without its wallet', l.wallet_id::text
      from l where l.lost
$$;
