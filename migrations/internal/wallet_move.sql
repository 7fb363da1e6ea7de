-- ----------------------------------------------------------------------
-- internal.wallet_move(tenant, wallet, op, debit, credit, amount, idem, ...)
--
--      One movement of points: changes the wallet's balances, takes its next
--      number and writes the ledger row with the balances after it.  Invoker
--      rights.  But for hold_book_all, nothing else writes podi.wallet or
--      podi.ledger.
--
-- Returns:  o_available, o_held, o_seq after the movement
-- Raises:   U0420 no such wallet
--           23514 a balance would be negative; 23505 idem was used
-- Writes:   podi.wallet, podi.ledger
-- Called:   internal.hold_freeze, internal.lot_add, internal.lot_lapse
-- ----------------------------------------------------------------------
create or replace function internal.wallet_move(
    i_tenant  uuid,
    i_wallet  uuid,
    i_op      text,
    i_debit   text,
    i_credit  text,
    i_amount  bigint,
    i_idem    text,
    i_hold    bigint default null,
    i_task    uuid default null,
    i_job     uuid default null,
    i_lot     bigint default null,
    i_reason  text default null,
    out o_available  bigint,
    out o_held       bigint,
    out o_seq        bigint)
language plpgsql
set search_path = podi, pg_temp
as $$
begin
    update wallet w
       set available = w.available
                       + case 'available' when i_credit then i_amount
                                          when i_debit then -i_amount
                                          else 0 end,
           held = w.held
                  + case 'held' when i_credit then i_amount
                                when i_debit then -i_amount
                                else 0 end,
           seq = w.seq + 1
     where w.tenant_id = i_tenant and w.wallet_id = i_wallet
    returning w.available, w.held, w.seq into o_available, o_held, o_seq;
    if not found then
        raise exception 'no wallet %', i_wallet using errcode = 'U0420';
    end if;

    insert into ledger (tenant_id, wallet_id, seq, op, debit, credit, amount,
                        available_after, held_after, hold_id, task_id, job_id,
                        lot_id, idem, reason)
    values (i_tenant, i_wallet, o_seq, i_op, i_debit, i_credit, i_amount,
            o_available, o_held, i_hold, i_task, i_job, i_lot, i_idem,
            i_reason);
end
$$;
