-- ----------------------------------------------------------------------
-- internal.hold_draw(tenant, hold, charge, back)
--
--      Locks the wallet, then counts a charge and a return on the hold.
--      Invoker rights.
--
-- Returns:  o_wallet; o_captured, o_released: the hold's totals afterwards
-- Raises:   U0421 no such hold, or it has less left
-- Writes:   podi.hold
-- Called:   internal.hold_settle
-- ----------------------------------------------------------------------
create or replace function internal.hold_draw(
    i_tenant  uuid,
    i_hold    bigint,
    i_charge  bigint,
    i_back    bigint,
    out o_wallet    uuid,
    out o_captured  bigint,
    out o_released  bigint)
language plpgsql
set search_path = podi, pg_temp
as $$
begin
    -- the wallet comes before the hold, and a hold never changes its wallet
    perform 1
       from wallet w
      where w.tenant_id = i_tenant
        and w.wallet_id = (select h.wallet_id from hold h
                            where h.tenant_id = i_tenant
                              and h.hold_id = i_hold)
        for update;

    update hold h
       set captured = h.captured + i_charge, released = h.released + i_back
     where h.tenant_id = i_tenant and h.hold_id = i_hold
       and h.captured + h.released + i_charge + i_back <= h.amount
    returning h.wallet_id, h.captured, h.released
         into o_wallet, o_captured, o_released;
    if not found then
        raise exception 'hold % has less than % left', i_hold,
                        i_charge + i_back using errcode = 'U0421';
    end if;
end
$$;
