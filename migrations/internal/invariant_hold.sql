-- ----------------------------------------------------------------------
-- internal.invariant_hold(from, to)
--
--      Whether holds, of those behind from and up to to, agree with their
--      parts, their jobs and the ledger.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
--           I4   a hold is split among lots as it is itself
--           I5   what is left of a task's hold is what its open jobs may cost
--           I11  the hold of a task that has ended has nothing left
--           I15  each hold is what its entries say
--           I18  a part of a hold has its hold and its lot
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.invariant_part
-- ----------------------------------------------------------------------
create or replace function internal.invariant_hold(
    i_from  podi.row_place,
    i_to    podi.row_place)
returns table (inv text, id text)
language sql stable
as $$
    with h as materialized (
        select x.* from podi.hold x
         where x.hold_id > (i_from).n and x.hold_id <= (i_to).n
    )
    select 'I4 hold split = lot split', h.hold_id::text
      from h
      left join lateral (
           select sum(a.amount) as amount, sum(a.captured) as captured,
                  sum(a.released) as released, sum(a.refunded) as refunded
             from podi.hold_alloc a
            where a.hold_id = h.hold_id and a.tenant_id = h.tenant_id) a on true
     where (h.amount, h.captured, h.released, h.refunded)
           is distinct from (a.amount, a.captured, a.released, a.refunded)
    union all
    select 'I5 hold has left what its open jobs cost', h.hold_id::text
      from h
      join podi.task_header t
        on t.task_id = h.task_id and t.tenant_id = h.tenant_id
      left join lateral (
           select sum(j.price - j.confirmed) as rest
             from podi.job j
            where j.task_id = t.task_id and j.tenant_id = t.tenant_id
                  and coalesce(j.hold_id, t.hold_id) = h.hold_id
                  and j.settled_fence is null) o on true
     where h.amount - h.captured - h.released
           is distinct from coalesce(o.rest, 0)
    union all
    select 'I11 hold of an ended task is exhausted', h.hold_id::text
      from h
      join podi.task_header t
        on t.tenant_id = h.tenant_id and t.task_id = h.task_id
     where t.ended_at is not null and h.captured + h.released <> h.amount
    union all
    select 'I15 ledger tells what a hold did', h.hold_id::text
      from h
      left join lateral (
           select sum(l.amount) filter (where l.op = 'freeze') as frozen,
                  sum(l.amount) filter (where l.op = 'confirm') as confirmed,
                  sum(l.amount) filter (where l.op = 'release') as released,
                  sum(l.amount) filter (where l.op = 'refund') as refunded
             from podi.ledger l
            where l.wallet_id = h.wallet_id and l.tenant_id = h.tenant_id
                  and l.hold_id = h.hold_id
                  and (h.task_id is null and l.task_id is null
                       or l.task_id = h.task_id)) l on true
     where (h.amount, h.captured, h.released, h.refunded)
           is distinct from (coalesce(l.frozen, 0), coalesce(l.confirmed, 0),
                             coalesce(l.released, 0), coalesce(l.refunded, 0))
    union all
    select 'I18 allocation without its hold or lot', a.hold_id::text
      from podi.hold_alloc a
      left join podi.hold o
        on o.hold_id = a.hold_id and o.tenant_id = a.tenant_id
      left join podi.lot l
        on l.lot_id = a.lot_id and l.tenant_id = a.tenant_id
     where a.hold_id > (i_from).n and a.hold_id <= (i_to).n
           and (o.hold_id is null or l.lot_id is null)
$$;
