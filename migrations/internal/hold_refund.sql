-- ----------------------------------------------------------------------
-- internal.hold_refund(tenant, hold, amount)
--
--      Puts captured points of a hold back into the lots that they came from,
--      those that were spent last first.  The caller holds the wallet's lock.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   23514 more than was captured; U0426 the lots do not add up
-- Writes:   podi.hold, podi.hold_alloc, podi.lot
-- Called:   internal.refund_make
-- ----------------------------------------------------------------------
create or replace function internal.hold_refund(
    i_tenant  uuid,
    i_hold    bigint,
    i_amount  bigint)
returns void
language plpgsql
as $$
declare
    v_done  bigint;
begin
    update podi.hold h
       set refunded = h.refunded + i_amount
     where h.hold_id = i_hold and h.tenant_id = i_tenant;

    with line as (
        select a.lot_id, a.captured - a.refunded as left_,
               (sum(a.captured - a.refunded) over w)::bigint as upto
          from podi.hold_alloc a
         where a.hold_id = i_hold and a.tenant_id = i_tenant
        window w as (order by a.ord desc rows unbounded preceding)),
    noted as (
        update podi.hold_alloc a
           set refunded = a.refunded + p.part
          from (select l.lot_id, least(l.left_, i_amount - l.upto + l.left_) as part
                  from line l) p
         where a.hold_id = i_hold and a.lot_id = p.lot_id
           and a.tenant_id = i_tenant and p.part > 0
        returning a.lot_id, p.part),
    moved as (
        update podi.lot l
           set spent = l.spent - n.part, avail = l.avail + n.part
          from noted n
         where l.lot_id = n.lot_id and l.tenant_id = i_tenant
        returning n.part)
    select sum(m.part)::bigint into v_done from moved m;

    if v_done is distinct from i_amount then
        raise exception 'lots of hold % take back %, not %', i_hold, v_done,
                        i_amount using errcode = 'U0426';
    end if;
end
$$;
