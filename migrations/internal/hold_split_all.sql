-- ----------------------------------------------------------------------
-- internal.hold_split_all(moves)
--
--      Counts captures and returns on holds, and brings the allocations and
--      the lots behind them to the new totals.  Think of a hold as a line cut
--      into allocations in the order of spending: captures fill it from the
--      left, releases from the right.  So the split depends on the totals
--      alone, never on the order in which jobs finish.
--      The caller holds the locks of the wallets.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the wallets that have points in expired lots; NULL: none
-- Raises:   U0421 no such hold, or it has less left than its moves cost
--           U0426 its allocations do not add up to it
-- Writes:   podi.hold, podi.hold_alloc, podi.lot
-- Called:   internal.hold_settle_moves
-- ----------------------------------------------------------------------
create or replace function internal.hold_split_all(i_moves podi.hold_move[])
returns uuid[]
language plpgsql
as $$
declare
    v_done  record;
begin
    with want as (
        select m.tenant_id, m.hold_id, sum(m.charge)::bigint as charge,
               sum(m.price - m.charge)::bigint as back
          from unnest(i_moves) m group by m.tenant_id, m.hold_id),
    drawn as (
        update podi.hold h
           set captured = h.captured + t.charge, released = h.released + t.back
          from want t
         where h.hold_id = t.hold_id and h.tenant_id = t.tenant_id
           and h.amount - h.captured - h.released >= t.charge + t.back
        returning h.*),
    line as (
        select a.*, d.captured as fill, d.amount - d.released as stop,
               (sum(a.amount) over w)::bigint as upto
          from drawn d
          join podi.hold_alloc a using (hold_id, tenant_id)
        window w as (partition by a.hold_id, a.tenant_id order by a.ord
                     rows unbounded preceding)),
    noted as (
        update podi.hold_alloc a
           set captured = g.fill, released = g.back
          from (select l.lot_id, l.hold_id, l.tenant_id, l.captured, l.released,
                       greatest(0, least(l.amount, l.fill - l.upto + l.amount)) as fill,
                       greatest(0, least(l.amount, l.upto - l.stop)) as back
                  from line l) g
         where a.hold_id = g.hold_id and a.lot_id = g.lot_id
           and a.tenant_id = g.tenant_id
           and (g.fill, g.back) <> (g.captured, g.released)
        returning a.tenant_id, a.lot_id, g.fill - g.captured as spent,
                  g.back - g.released as back),
    moved as (
        update podi.lot l
           set held = l.held - n.spent - n.back, spent = l.spent + n.spent,
               avail = l.avail + n.back
          from (select q.tenant_id, q.lot_id, sum(q.spent)::bigint as spent,
                       sum(q.back)::bigint as back
                  from noted q group by q.tenant_id, q.lot_id) n
         where l.lot_id = n.lot_id and l.tenant_id = n.tenant_id)
    select (select count(*) from want t) as wanted, count(*) as found,
           (select sum(t.charge + t.back) from want t) = (
               select sum(n.spent + n.back) from noted n) as even,
           array_agg(distinct d.wallet_id) filter (where exists (
               select 1 from podi.lot l
                where l.wallet_id = d.wallet_id and l.tenant_id = d.tenant_id
                  and l.live and l.expires_at <= now())) as lapse
      into v_done
      from drawn d;

    if v_done.found < v_done.wanted then
        raise exception 'a hold has less left than its jobs cost'
              using errcode = 'U0421';
    elsif not coalesce(v_done.even, false) then
        raise exception 'the lots of a hold do not add up to it'
              using errcode = 'U0426';
    end if;
    return v_done.lapse;
end
$$;
