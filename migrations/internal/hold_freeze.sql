-- ----------------------------------------------------------------------
-- internal.hold_freeze(tenant, wallet, task, round, amount, ttl)
--
--      Freezes points for a round of a task: takes them from the wallet's lots
--      in the order of spending (priority, soonest expiry, oldest) and records
--      the split.  Expired lots lapse first.  Locks the wallet.  Invoker
--      rights.
--
-- Returns:  hold_id
-- Raises:   U0402 not enough points; detail required, available, missing
--           U0420 no such wallet, or its lots do not add up
--           23505 the round has a hold already
-- Writes:   podi.wallet, podi.hold, podi.lot, podi.hold_alloc, podi.ledger
-- Called:   internal.task_make
-- ----------------------------------------------------------------------
create or replace function internal.hold_freeze(
    i_tenant  uuid,
    i_wallet  uuid,
    i_task    uuid,
    i_round   int,
    i_amount  bigint,
    i_ttl     interval)
returns bigint
language plpgsql
set search_path = podi, pg_temp
as $$
declare
    v_available  bigint;
    v_hold       bigint;
begin
    perform 1
       from wallet w
      where w.tenant_id = i_tenant and w.wallet_id = i_wallet
        for update;
    if not found then
        raise exception 'no wallet %', i_wallet using errcode = 'U0420';
    end if;
    perform internal.lot_lapse(i_tenant, i_wallet);

    select w.available into v_available
      from wallet w
     where w.tenant_id = i_tenant and w.wallet_id = i_wallet;
    if v_available < i_amount then
        raise exception '% points wanted, % available', i_amount, v_available
              using errcode = 'U0402',
                    detail = jsonb_build_object('required', i_amount,
                                'available', v_available,
                                'missing', i_amount - v_available)::text;
    end if;

    insert into hold (tenant_id, wallet_id, task_id, round, amount, expires_at)
    values (i_tenant, i_wallet, i_task, i_round, i_amount, now() + i_ttl)
    returning hold.hold_id into v_hold;

    perform internal.hold_allocate(i_tenant, i_wallet, v_hold, i_amount);
    perform internal.wallet_move(i_tenant, i_wallet, 'freeze', 'available',
            'held', i_amount, 'freeze:' || i_task || ':' || i_round,
            i_hold => v_hold, i_task => i_task);
    return v_hold;
end
$$;
