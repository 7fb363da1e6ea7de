-- ----------------------------------------------------------------------
-- internal.order_action(action, channel)
--
--      An action that users may ask for, the price rule that is in force for
--      the channel and the plan of the entered tenant, and that plan.  A rule
--      that names the channel goes before one that does not, then one that
--      names the plan, then the newest.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job_plan with the schema in params; all NULL: no such action
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.order_asks
-- ----------------------------------------------------------------------
create or replace function internal.order_action(i_action text, i_channel text)
returns podi.job_plan
language plpgsql
as $$
declare
    v_one  podi.job_plan;
begin
    select null, null, a.action, a.queue, a.schema, a.accepts,
           (a.inputs -> 'min')::int, (a.inputs -> 'max')::int, null, null, null,
           a.price, r.rule, null, a.max_attempts, a.max_wait_ms, a.cost, a.gates,
           t.plan, p.weight,
           case when a.cancel <> 'none' or a.segments <> '[]'
                then jsonb_build_object('cancel', a.cancel,
                                        'segments', a.segments) end
      into v_one.key, v_one.field, v_one.action, v_one.queue, v_one.params,
           v_one.accepts, v_one.fewest, v_one.most, v_one.inputs, v_one.needs,
           v_one.places, v_one.unit_price, v_one.rule, v_one.price,
           v_one.max_attempts, v_one.max_wait_ms, v_one.cost, v_one.gates,
           v_one.plan, v_one.weight, v_one.terms
      from podi.action a
      join podi.tenant t on t.tenant_id = internal.tenant()
      join podi.plan p on p.plan = t.plan
      left join lateral (
           select q as rule
             from podi.price_rule q
            where q.action = a.action
                  and (q.channel is null or q.channel = i_channel)
                  and (q.plan is null or q.plan = t.plan)
                  and q.valid_from <= now()
            order by q.channel is null, q.plan is null, q.valid_from desc
            limit 1) r on true
     where a.action = i_action and a.public and a.state = 'active';
    return v_one;
end
$$;
