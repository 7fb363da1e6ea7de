-- ----------------------------------------------------------------------
-- internal.wallet_lock_all(moves)
--
--      Locks the wallets of the holds of these moves, ascending.  A hold
--      never changes its wallet, so reading it before is safe.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.hold_settle_moves
-- ----------------------------------------------------------------------
create or replace function internal.wallet_lock_all(i_moves podi.hold_move[])
returns void
language plpgsql
as $$
begin
    perform 1
       from podi.wallet w
      where w.wallet_id = any (array(
            select h.wallet_id
              from unnest(i_moves) m
             cross join lateral (
                   select q.wallet_id from podi.hold q
                    where q.hold_id = m.hold_id and q.tenant_id = m.tenant_id
                    limit 1) h))
      order by w.wallet_id, w.tenant_id
        for update;
end
$$;
