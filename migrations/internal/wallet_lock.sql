-- ----------------------------------------------------------------------
-- internal.wallet_lock(ids)
--
--      Locks the wallets that pay for these jobs, ascending.  Whoever locks a
--      hold or a lot has its wallet, so after this the money of the jobs may
--      be moved in any order.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.job_end, internal.job_give_back
-- ----------------------------------------------------------------------
create or replace function internal.wallet_lock(i_ids uuid[])
returns void
language plpgsql
as $$
begin
    perform 1
       from podi.wallet w
      where (w.tenant_id, w.user_id) in
            (select j.tenant_id, j.user_id from podi.job j
              where j.job_id = any (i_ids) and j.price > 0)
      order by w.wallet_id, w.tenant_id
        for update;
end
$$;
