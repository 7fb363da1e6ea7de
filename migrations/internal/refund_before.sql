-- ----------------------------------------------------------------------
-- internal.refund_before(tenant, wallet, task, job, hold, amount, ref)
--
--      Whether this ref was refunded before.  The caller holds the wallet's
--      lock.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  what was refunded; NULL: nothing
-- Raises:   U0409 the ref refunded something else
-- Writes:   nothing
-- Called:   sys.wallet_refund
-- ----------------------------------------------------------------------
create or replace function internal.refund_before(
    i_tenant  uuid,
    i_wallet  uuid,
    i_task    uuid,
    i_job     uuid,
    i_hold    bigint,
    i_amount  bigint,
    i_ref     text)
returns bigint
language plpgsql
as $$
declare
    v_done  record;
begin
    select sum(l.amount)::bigint as amount,
           bool_and(l.job_id is not distinct from i_job
                    and case when i_hold is null then l.task_id is not null
                             else l.hold_id = i_hold end
                    and (i_task is null or l.task_id = i_task)) as same
      into v_done
      from podi.ledger l
     where l.wallet_id = i_wallet and l.tenant_id = i_tenant
       and l.idem = any (array(select 'refund:' || n || ':' || i_ref
                                 from generate_series(1, 64) n));

    if v_done.amount <> coalesce(i_amount, v_done.amount)
       or not v_done.same then
        raise exception 'the ref refunded % of something else', v_done.amount
              using errcode = 'U0409';
    end if;
    return v_done.amount;
end
$$;
