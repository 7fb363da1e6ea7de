-- ----------------------------------------------------------------------
-- internal.hold_settle(tenant, hold, task, job, price, charge)
--
--      internal.hold_settle_all for one job that is settled once.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  wallet events for internal.event_append; empty for price 0
-- Raises:   as internal.hold_settle_all
-- Writes:   podi.wallet, podi.hold, podi.hold_alloc, podi.lot, podi.ledger
-- Called:   whatever ends one share of a hold
-- ----------------------------------------------------------------------
create or replace function internal.hold_settle(
    i_tenant  uuid,
    i_hold    bigint,
    i_task    uuid,
    i_job     uuid,
    i_price   bigint,
    i_charge  bigint)
returns jsonb
language plpgsql
as $$
begin
    if i_price = 0 and i_charge = 0 then
        return '[]';
    end if;

    return (select jsonb_agg(e.value - '{tenant_id,user_id,trace_id}'::text[]
                             order by e.ordinality)
              from jsonb_array_elements(internal.hold_settle_all(
                   jsonb_build_array(jsonb_build_object(
                       'tenant_id', i_tenant, 'hold_id', i_hold,
                       'task_id', i_task, 'job_id', i_job, 'idem', i_job,
                       'price', i_price, 'charge', i_charge))))
                   with ordinality e);
end
$$;
