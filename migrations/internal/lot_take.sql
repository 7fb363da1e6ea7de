-- ----------------------------------------------------------------------
-- internal.lot_take(tenant, wallet, amount)
--
--      Takes points out of a wallet's live lots, in the order of spending.
--      The caller holds the wallet's lock, and knows that they are there.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0426 the lots do not have that much (the wallet says they do)
-- Writes:   podi.lot
-- Called:   internal.wallet_change
-- ----------------------------------------------------------------------
create or replace function internal.lot_take(
    i_tenant  uuid,
    i_wallet  uuid,
    i_amount  bigint)
returns void
language plpgsql
as $$
declare
    v_taken  bigint;
begin
    with spend as (
        select l.lot_id, l.avail, (sum(l.avail) over w)::bigint as upto
          from podi.lot l
         where l.wallet_id = i_wallet and l.tenant_id = i_tenant
           and l.live and l.avail > 0
           and (l.expires_at is null or l.expires_at > now())
        window w as (order by l.priority, l.expires_at, l.lot_id
                     rows unbounded preceding)),
    moved as (
        update podi.lot l
           set avail = l.avail - t.part, adjusted = l.adjusted + t.part
          from (select s.lot_id, least(s.avail, i_amount - s.upto + s.avail) as part
                  from spend s) t
         where l.lot_id = t.lot_id and l.tenant_id = i_tenant and t.part > 0
        returning t.part)
    select sum(m.part)::bigint into v_taken from moved m;

    if v_taken is distinct from i_amount then
        raise exception 'lots of wallet % have %, not %', i_wallet, v_taken,
                        i_amount using errcode = 'U0426';
    end if;
end
$$;
