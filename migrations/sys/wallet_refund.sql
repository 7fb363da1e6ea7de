-- ----------------------------------------------------------------------
-- sys.wallet_refund(tenant slug, login, task, job, hold, amount, reason, ref)
--
--      Gives back points that were spent on a task, on one of its jobs, or out
--      of another server's hold: to the lots that they came from, those that
--      were spent last first.  amount NULL is all that was captured and not
--      refunded yet.  What goes to an expired lot lapses at once.
--      Once for each ref of the wallet.
--
-- Returns:  wallet_id, refunded, available, seq, is_new, _events
-- Raises:   U0404 no such tenant or user
--           U0409 the ref refunded something else, or the task has not ended
--           U0422 amount, reason, ref is wrong, or not one of task, job, hold
--           U0425 more than was captured; detail left
-- Writes:   the wallet tables, podi.audit, podi.user_head, podi.user_event
-- Called:   whatever gives points back
-- ----------------------------------------------------------------------
create or replace function sys.wallet_refund(
    i_slug    text,
    i_login   text,
    i_task    uuid,
    i_job     uuid,
    i_hold    bigint,
    i_amount  bigint,
    i_reason  text,
    i_ref     text,
    out wallet_id  uuid,
    out refunded   bigint,
    out available  bigint,
    out seq        bigint,
    out is_new     boolean,
    out _events    jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_who  record := internal.account_find(i_slug, i_login);
begin
    perform internal.change_check(coalesce(i_amount, 1), i_reason, i_ref);
    if num_nonnulls(i_task, i_job, i_hold) <> 1 then
        raise exception 'one of task, job and hold is wanted'
              using errcode = 'U0422', detail = '{"field":"task"}';
    end if;
    wallet_id := internal.wallet_of(v_who.o_tenant, v_who.o_user);
    perform internal.wallet_enter(v_who.o_tenant, wallet_id);

    refunded := internal.refund_before(v_who.o_tenant, wallet_id, i_task, i_job,
                                       i_hold, i_amount, i_ref);
    is_new := refunded is null;
    _events := '[]';
    if is_new then
        select r.o_refunded, internal.event_append_all(r.o_events)
          into refunded, _events
          from internal.refund_make(v_who.o_tenant, wallet_id, i_task, i_job,
                                    i_hold, i_amount, i_reason, i_ref) r;
        perform internal.audit_append(v_who.o_tenant, 'wallet.refund',
                v_who.o_user, jsonb_build_object('amount', refunded,
                'task_id', i_task, 'job_id', i_job, 'hold_id', i_hold,
                'ref', i_ref, 'reason', i_reason));
    end if;

    select w.available, w.seq into available, seq
      from wallet w
     where w.wallet_id = wallet_refund.wallet_id
       and w.tenant_id = v_who.o_tenant;
end
$$;
