-- ----------------------------------------------------------------------
-- sys.reconcile(rule, place, limit)
--
--      Looks for breaks of one rule of docs/RUNBOOK.md, "Reconciliation", in
--      all tenants; repairs nothing.  Bounded: a rule over many rows looks at
--      a slice of them, from a place on.
--
-- Returns:  kind, id, detail: one row for each break; and one of kind `place`:
--           id, where to go on; detail {more}, whether that ends a pass
-- Raises:   U0422 there is no such rule
-- Writes:   nothing
-- Called:   podi_janitord, podictl
--
--      gate_drift and parked_tenant are Redis's: podi_dispatchd looks.
-- ----------------------------------------------------------------------
create or replace function sys.reconcile(
    i_rule   text,
    i_place  text,
    i_limit  int)
returns table (kind text, id text, detail jsonb)
language plpgsql stable security definer
set search_path = podi, pg_temp
set enable_seqscan = off
as $$
declare
    v_limit  int := least(greatest(coalesce(i_limit, 0), 1), 10000);
begin
    if i_rule in ('expired_lease', 'lost_hint', 'expired_hold', 'orphan_object')
    then
        return query select 'place', null::text, jsonb '{"more": false}';
    end if;

    case i_rule
    when 'expired_lease' then
        return query select * from internal.reconcile_expired_lease(v_limit);
    when 'lost_hint' then
        return query select * from internal.reconcile_lost_hint(v_limit);
    when 'open_hold' then
        return query select * from internal.reconcile_open_hold(i_place, v_limit);
    when 'expired_hold' then
        return query select * from internal.reconcile_expired_hold(v_limit);
    when 'open_task' then
        return query select * from internal.reconcile_open_task(i_place, v_limit);
    when 'ledger' then
        return query select * from internal.reconcile_ledger(i_place, v_limit);
    when 'provider_bill' then
        return query select *
                       from internal.reconcile_provider_bill(i_place, v_limit);
    when 'orphan_object' then
        return query select * from internal.reconcile_orphan_object(v_limit);
    else
        raise exception 'no rule %', i_rule using errcode = 'U0422',
              detail = '{"field": "rule"}';
    end case;
end
$$;
