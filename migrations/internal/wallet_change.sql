-- ----------------------------------------------------------------------
-- internal.wallet_change(tenant, wallet, amount, reason, ref)
--
--      The work of sys.wallet_adjust.  Locks the wallet.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  events for event_append_all
-- Raises:   U0402 fewer are available; detail required, available, missing
--           U0426 the lots do not add up to the wallet
-- Writes:   the wallet tables
-- Called:   sys.wallet_adjust
-- ----------------------------------------------------------------------
create or replace function internal.wallet_change(
    i_tenant  uuid,
    i_wallet  uuid,
    i_amount  bigint,
    i_reason  text,
    i_ref     text)
returns jsonb
language plpgsql
as $$
declare
    v_enter   record := internal.wallet_enter(i_tenant, i_wallet);
    v_wallet  podi.wallet := v_enter.o_wallet;
begin
    if i_amount > 0 then
        return internal.lot_add(i_tenant, i_wallet, 'adjust', i_amount, 'gift',
                                null, 'adjust:' || i_ref, i_reason, i_ref);
    elsif v_wallet.available + i_amount < 0 then
        raise exception '% points to take, % available', -i_amount,
                        v_wallet.available
              using errcode = 'U0402',
                    detail = jsonb_build_object('required', -i_amount,
                                'available', v_wallet.available,
                                'missing', -i_amount
                                           - v_wallet.available)::text;
    end if;

    perform internal.lot_take(i_tenant, i_wallet, -i_amount);
    return internal.wallet_move((i_tenant, i_wallet, 'adjust', 'available',
               'adjusted', -i_amount, null, null, null, null,
               'adjust:' || i_ref, i_ref, i_reason, null, null), v_wallet)
           || internal.wallet_low(i_tenant, i_wallet,
                  v_wallet.available + i_amount, v_enter.o_low);
end
$$;
