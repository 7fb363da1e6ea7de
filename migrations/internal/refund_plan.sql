-- ----------------------------------------------------------------------
-- internal.refund_plan(tenant, wallet, task, job, hold)
--
--      What can be given back of a task, a job or a hold: for each hold what
--      was captured, for the job if one is named, and is not refunded yet.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  o_hold, o_task, o_left
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.refund_make
-- ----------------------------------------------------------------------
create or replace function internal.refund_plan(
    i_tenant  uuid,
    i_wallet  uuid,
    i_task    uuid,
    i_job     uuid,
    i_hold    bigint)
returns table (o_hold bigint, o_task uuid, o_left bigint)
language sql
as $$
    with own as (
        select h.* from podi.hold h
         where h.tenant_id = i_tenant and h.wallet_id = i_wallet
           and h.task_id = coalesce(i_task, (select j.task_id from podi.job j
                                              where j.job_id = i_job
                                                and j.tenant_id = i_tenant))
        union all
        select h.* from podi.hold h
         where h.hold_id = i_hold and h.tenant_id = i_tenant
           and h.wallet_id = i_wallet and h.kind = 'external')
    select o.hold_id, o.task_id,
           case when i_job is null then o.captured - o.refunded
                else least(o.captured - o.refunded, coalesce((
                     select sum(case l.op when 'confirm' then l.amount
                                          when 'refund' then -l.amount end)
                       from podi.ledger l
                      where l.wallet_id = i_wallet and l.task_id = o.task_id
                        and l.tenant_id = i_tenant and l.hold_id = o.hold_id
                        and l.job_id = i_job), 0)) end::bigint
      from own o
$$;
