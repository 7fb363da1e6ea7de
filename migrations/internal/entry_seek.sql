-- ----------------------------------------------------------------------
-- internal.entry_seek(tenant, wallet, at)
--
--      Where a time stands in a wallet's ledger: by halves, since numbers are
--      dense and later rows are not older.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the number of the last entry before that time; 0: there is none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.wallet_statement
-- ----------------------------------------------------------------------
create or replace function internal.entry_seek(
    i_tenant  uuid,
    i_wallet  uuid,
    i_at      timestamptz)
returns bigint
language plpgsql stable
as $$
declare
    v_low   bigint := 0;
    v_high  bigint;
    v_mid   bigint;
begin
    select w.seq into v_high
      from podi.wallet w
     where w.wallet_id = i_wallet and w.tenant_id = i_tenant;

    while v_low < v_high loop
        v_mid := (v_low + v_high + 1) / 2;
        if exists (select 1 from podi.ledger l
                    where l.wallet_id = i_wallet and l.tenant_id = i_tenant
                      and l.seq = v_mid and l.at < i_at) then
            v_low := v_mid;
        else
            v_high := v_mid - 1;
        end if;
    end loop;
    return v_low;
end
$$;
