-- ----------------------------------------------------------------------
-- internal.hold_allocate(hold, expires)
--
--      Writes a hold, moves its points of the wallet's live lots from avail to
--      held, in the order of spending, and records which lot gave how much.
--      The caller holds the wallet's row lock.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  hold_id
-- Raises:   U0426 the lots do not have that much (the wallet says they do)
--           23505 the round, or the ref, has a hold already
-- Writes:   podi.hold, podi.lot, podi.hold_alloc
-- Called:   internal.hold_take
-- ----------------------------------------------------------------------
create or replace function internal.hold_allocate(
    i_hold        podi.hold,
    i_expires_at  timestamptz)
returns bigint
language plpgsql
as $$
declare
    v_done  record;
begin
    with made as (
        insert into podi.hold (tenant_id, wallet_id, kind, task_id, round, ref,
                               reason, amount, expires_at)
        values (i_hold.tenant_id, i_hold.wallet_id, i_hold.kind, i_hold.task_id,
                i_hold.round, i_hold.ref, i_hold.reason, i_hold.amount,
                i_expires_at)
        returning hold.hold_id),
    spend as (
        select s.*, s.upto - s.avail as before
          from (select l.lot_id, l.avail, row_number() over w as ord,
                       (sum(l.avail) over w)::bigint as upto
                  from podi.lot l
                 where l.wallet_id = i_hold.wallet_id
                   and l.tenant_id = i_hold.tenant_id and l.live and l.avail > 0
                   and (l.expires_at is null or l.expires_at > now())
                window w as (order by l.priority, l.expires_at, l.lot_id
                             rows unbounded preceding)) s),
    moved as (
        update podi.lot l
           set avail = l.avail - t.amount, held = l.held + t.amount
          from (select s.lot_id, s.ord,
                       least(s.avail, i_hold.amount - s.before) as amount
                  from spend s where s.before < i_hold.amount) t
         where l.lot_id = t.lot_id and l.tenant_id = i_hold.tenant_id
        returning t.lot_id, t.ord, t.amount),
    noted as (
        insert into podi.hold_alloc (tenant_id, hold_id, lot_id, ord, amount)
        select i_hold.tenant_id, m.hold_id, t.lot_id, t.ord, t.amount
          from moved t cross join made m
        returning hold_alloc.amount)
    select m.hold_id, (select sum(n.amount)::bigint from noted n) as taken
      into v_done
      from made m;

    if v_done.taken is distinct from i_hold.amount then
        raise exception 'lots of wallet % have %, not %', i_hold.wallet_id,
                        v_done.taken, i_hold.amount using errcode = 'U0426';
    end if;
    return v_done.hold_id;
end
$$;
