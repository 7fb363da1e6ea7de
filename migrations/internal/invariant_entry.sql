-- ----------------------------------------------------------------------
-- internal.invariant_entry()
--
--      Whether the ledger tells of each hold what its row says.  Sees all
--      tenants only from a sys function.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
--           I15  what the ledger froze, confirmed, released and refunded of a
--                hold is what the hold says
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.invariant_wallet
-- ----------------------------------------------------------------------
create or replace function internal.invariant_entry()
returns table (inv text, id text)
language sql stable
as $$
    with told as (
        select l.tenant_id, l.hold_id,
               coalesce(sum(l.amount) filter (where l.op = 'freeze'), 0) as frozen,
               coalesce(sum(l.amount) filter (where l.op = 'confirm'), 0) as confirmed,
               coalesce(sum(l.amount) filter (where l.op = 'release'), 0) as released,
               coalesce(sum(l.amount) filter (where l.op = 'refund'), 0) as refunded
          from podi.ledger l
         where l.hold_id is not null
         group by l.tenant_id, l.hold_id)
    select 'I15 ledger tells what a hold did', coalesce(h.hold_id, t.hold_id)::text
      from podi.hold h
      full join told t on t.tenant_id = h.tenant_id and t.hold_id = h.hold_id
     where (h.amount, h.captured, h.released, h.refunded)
           is distinct from (t.frozen, t.confirmed, t.released, t.refunded)
$$;
