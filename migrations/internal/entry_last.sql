-- ----------------------------------------------------------------------
-- internal.entry_last(tenant, wallet)
--
--      Refuses a ledger whose end is not what the wallet says: nothing may be
--      stated from it, let alone signed.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0427
-- Writes:   nothing
-- Called:   api.wallet_statement
-- ----------------------------------------------------------------------
create or replace function internal.entry_last(i_tenant uuid, i_wallet uuid)
returns void
language plpgsql stable
as $$
begin
    if exists (
       select 1
         from podi.wallet w
         left join podi.ledger l
           on l.wallet_id = w.wallet_id and l.tenant_id = w.tenant_id
              and l.seq = w.seq
        where w.wallet_id = i_wallet and w.tenant_id = i_tenant
          and (w.available, w.held, w.head)
              is distinct from (coalesce(l.available_after, 0),
                                coalesce(l.held_after, 0), coalesce(l.hash, '')))
    then
        raise exception 'the ledger does not end as its wallet says'
              using errcode = 'U0427';
    end if;
end
$$;
