-- ----------------------------------------------------------------------
-- api.task_quote(order, prices, actions)
--
--      What api.task_submit would cost, checked as the submit checks it.
--
-- Returns:  price, jobs_total, available (what can be spent), missing
--           (what would have to be topped up), quote (a token by which the
--           submit of this order freezes exactly this), expires_at, jobs jsonb [{key?, action,
--           input, inputs, params, price, rule_id}]
-- Raises:   U0422, U0430, U0434, U0435, U0440, U0441 with the field in the detail;
--           U0001 there is no key to sign with
-- Writes:   nothing
-- Called:   task/ngx_http_podi_task_quote.c
-- ----------------------------------------------------------------------
create or replace function api.task_quote(
    i_order    jsonb,
    i_prices   text,
    i_actions  text[] default null)
returns table (
    price       bigint,
    jobs_total  int,
    available   bigint,
    missing     bigint,
    quote       text,
    expires_at  timestamptz,
    jobs        jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_plan       job_plan[];
    v_available  bigint;
    v_expires    timestamptz := now() + interval '10 min';
begin
    perform internal.enter('user', 'admin');

    perform internal.order_terms(i_order);
    perform internal.channel_check(i_order, i_actions);
    v_plan := internal.task_plan(i_order, i_prices, null);
    v_available := internal.wallet_available(internal.tenant(),
                       internal.wallet_of(internal.tenant(),
                                          internal.user_id()));

    return query
    select sum(p.price)::bigint, count(*)::int, v_available,
           greatest(0, sum(p.price)::bigint - v_available),
           internal.quote_issue(i_order, i_prices, v_plan, v_expires),
           v_expires,
           jsonb_agg(jsonb_strip_nulls(jsonb_build_object('key', p.key))
               || jsonb_build_object(
                      'action', p.action, 'input', p.inputs[1],
                      'inputs', to_jsonb(p.inputs), 'params', p.params,
                      'price', p.price, 'rule_id', (p.rule).rule_id)
               order by p.ordinality)
      from unnest(v_plan) with ordinality p;
end
$$;
