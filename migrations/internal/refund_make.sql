-- ----------------------------------------------------------------------
-- internal.refund_make(tenant, wallet, task, job, hold, amount, reason, ref)
--
--      The work of sys.wallet_refund: from the newest round's hold on, as much
--      as each has.  The caller holds the wallet's lock.  Not while the task has
--      open jobs: what they were paid for may still be delivered.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  o_refunded; o_events for event_append_all
-- Raises:   U0425 more than was captured; detail left
--           U0409 the task has not ended
-- Writes:   the wallet tables
-- Called:   sys.wallet_refund
-- ----------------------------------------------------------------------
create or replace function internal.refund_make(
    i_tenant  uuid,
    i_wallet  uuid,
    i_task    uuid,
    i_job     uuid,
    i_hold    bigint,
    i_amount  bigint,
    i_reason  text,
    i_ref     text,
    out o_refunded  bigint,
    out o_events    jsonb)
language plpgsql
as $$
declare
    v_left  bigint;
    v_part  record;
    v_n     int := 0;
begin
    if exists (select 1
                 from internal.refund_plan(i_tenant, i_wallet, i_task, i_job,
                                           i_hold) p
                 join podi.task_header t
                   on t.task_id = p.o_task and t.tenant_id = i_tenant
                where t.jobs_open > 0)
    then
        raise exception 'the task has not ended' using errcode = 'U0409';
    end if;

    select coalesce(sum(p.o_left), 0)::bigint into v_left
      from internal.refund_plan(i_tenant, i_wallet, i_task, i_job, i_hold) p;
    o_refunded := coalesce(i_amount, v_left);
    if o_refunded not between 1 and v_left then
        raise exception '% was captured and not refunded', v_left
              using errcode = 'U0425',
                    detail = jsonb_build_object('left', v_left)::text;
    end if;

    v_left := o_refunded;
    o_events := '[]';
    for v_part in
        select p.* from internal.refund_plan(i_tenant, i_wallet, i_task, i_job,
                                             i_hold) p
         where p.o_left > 0
         order by p.o_hold desc
    loop
        exit when v_left = 0;
        v_n := v_n + 1;
        v_part.o_left := least(v_part.o_left, v_left);
        v_left := v_left - v_part.o_left;
        perform internal.hold_refund(i_tenant, v_part.o_hold, v_part.o_left);
        o_events := o_events || internal.wallet_move((i_tenant, i_wallet,
                        'refund', 'revenue', 'available', v_part.o_left,
                        v_part.o_hold, v_part.o_task, i_job, null,
                        'refund:' || v_n || ':' || i_ref, i_ref, i_reason, null,
                        null));
    end loop;
    o_events := internal.hold_lapse_all(array[i_wallet], o_events);
end
$$;
