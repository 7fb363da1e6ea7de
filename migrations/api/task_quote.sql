-- ----------------------------------------------------------------------
-- api.task_quote(inputs, actions)
--
--      What api.task_submit would cost, checked as the submit checks it.
--
-- Returns:  price, jobs_total, available (what can be spent), missing
--           (what would have to be topped up), jobs jsonb [{action, input,
--           params, price}]
-- Raises:   U0422, U0430, U0440, U0441 with the field in the detail
-- Writes:   nothing
-- Called:   task/ngx_http_podi_task_quote.c
-- ----------------------------------------------------------------------
create or replace function api.task_quote(i_inputs uuid[], i_actions jsonb)
returns table (
    price       bigint,
    jobs_total  int,
    available   bigint,
    missing     bigint,
    jobs        jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_plan       jsonb[];
    v_accepts    jsonb[];
    v_available  bigint;
begin
    perform internal.enter('user', 'admin');

    select array_agg(to_jsonb(p) order by p.ord), array_agg(p.accepts)
      into v_plan, v_accepts
      from internal.task_plan(i_actions) p;

    perform internal.inputs_check(i_inputs, v_accepts);

    v_available := internal.wallet_available(internal.tenant(),
                       internal.wallet_of(internal.tenant(),
                                          internal.user_id()));

    return query
    select sum((a.ask ->> 'price')::bigint)::bigint, count(*)::int, v_available,
           greatest(0, sum((a.ask ->> 'price')::bigint)::bigint - v_available),
           jsonb_agg(jsonb_build_object(
               'action', a.ask ->> 'action', 'input', i.media_id,
               'params', a.ask -> 'params', 'price', a.ask -> 'price')
               order by i.n, a.n)
      from unnest(i_inputs) with ordinality i (media_id, n)
     cross join unnest(v_plan) with ordinality a (ask, n);
end
$$;
