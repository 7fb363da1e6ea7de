-- ----------------------------------------------------------------------
-- sys.hold_expire(limit)
--
--      Gives back what is left of holds past their end; never of one that
--      pays for a job that is not final.  Wallets in use are left for the next
--      call.
--
-- Returns:  holds, points, _events
-- Raises:   nothing
-- Writes:   the wallet tables, podi.user_head, podi.user_event
-- Called:   whatever sweeps holds
--
--      Who is found first is judged again once the wallets are locked: a
--      confirm, or a settle that had locked the wallet before us, has had its
--      part.  One that comes after us finds the hold empty.
-- ----------------------------------------------------------------------
create or replace function sys.hold_expire(
    i_limit  int,
    out holds    int,
    out points   bigint,
    out _events  jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_ids      bigint[] := internal.hold_dead(i_limit);
    v_wallets  uuid[];
    v_moves    jsonb;
begin
    select array_agg(q.wallet_id) into v_wallets
      from (select w.wallet_id
              from wallet w
             where w.wallet_id = any (array(
                   select h.wallet_id from hold h
                    where h.hold_id = any (v_ids)))
             order by w.wallet_id, w.tenant_id
               for update skip locked) q;

    v_ids := internal.hold_dead(null, v_ids);

    select count(*), coalesce(sum(h.amount - h.captured - h.released), 0),
           jsonb_agg(jsonb_build_object(
               'tenant_id', h.tenant_id, 'hold_id', h.hold_id,
               'task_id', h.task_id, 'charge', 0,
               'price', h.amount - h.captured - h.released,
               'idem', 'expire:' || h.hold_id, 'ref', h.ref,
               'reason', 'expired') order by h.hold_id)
      into holds, points, v_moves
      from hold h
     where h.hold_id = any (v_ids) and h.wallet_id = any (v_wallets);

    _events := internal.event_append_all(internal.hold_settle_all(
                   coalesce(v_moves, '[]')));
end
$$;
