-- ----------------------------------------------------------------------
-- internal.task_make(task, jobs, order, channel, trace, prices, actions)
--
--      The work of api.task_submit once the request is known to be new.
--
--          terms -> channel -> plan -> quote or expected price -> freeze -> task, jobs
--                -> events
--
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  hints jsonb as internal.job_hints, events jsonb for
--           internal.event_append: the user's head is the last lock of all
-- Raises:   as api.task_submit
-- Writes:   podi.task_header, podi.job, podi.job_need, the wallet tables when
--           it has a price
-- Called:   api.task_submit, internal.task_try
-- ----------------------------------------------------------------------
create or replace function internal.task_make(
    i_task      uuid,
    i_jobs      uuid[],
    i_order     jsonb,
    i_channel   text,
    i_trace     text,
    i_prices    text,
    i_actions   text[],
    out hints   jsonb,
    out events  jsonb)
language plpgsql
as $$
declare
    v_say     record;
    v_plan    podi.job_plan[];
    v_jobs    int;
    v_price   bigint;
    v_wait    bigint;
    v_frozen  record;
    v_hold    bigint;
    v_money   jsonb;
begin
    v_say := internal.order_terms(i_order);
    perform internal.channel_check(i_order, i_actions);
    v_plan := internal.task_plan(i_order, i_prices,
                                 internal.quote_open(i_order, i_prices));
    v_jobs := cardinality(v_plan);
    if coalesce(cardinality(i_jobs), 0) < v_jobs then
        raise exception '% job ids for % jobs', cardinality(i_jobs), v_jobs
              using errcode = 'U0400';
    end if;

    select sum(p.price)::bigint, max(p.max_wait_ms) into v_price, v_wait
      from unnest(v_plan) p;
    if v_say.expected <> v_price then
        raise exception 'the price is %, not %', v_price, v_say.expected
              using errcode = 'U0432',
                    detail = json_build_object('expected', v_say.expected,
                                               'price', v_price);
    end if;

    perform internal.quota_order(i_task, v_price, v_plan);

    if v_price > 0 then
        v_frozen := internal.hold_freeze(internal.tenant(),
                        internal.wallet_of(internal.tenant(),
                                           internal.user_id()),
                        i_task, 1, v_price, interval '1 day'
                        + greatest(v_say.start_at - now(), interval '0')
                        + v_wait * interval '1 millisecond', i_trace);
        v_hold := v_frozen.o_hold;
        v_money := v_frozen.o_events;
    end if;

    insert into podi.task_header (tenant_id, task_id, user_id, channel, hold_id,
                                  price, jobs_total, jobs_open, trace_id,
                                  priority, on_failure, start_at, deadline_at)
    values (internal.tenant(), i_task, internal.user_id(),
            coalesce(i_channel, ''), v_hold, v_price, v_jobs, v_jobs, i_trace,
            v_say.priority, v_say.on_failure, v_say.start_at, v_say.deadline_at);

    hints := internal.job_make(i_task, i_jobs, v_plan, v_say.priority,
                               v_say.start_at, v_say.deadline_at, v_hold);

    events := internal.task_queued(i_task, i_trace, v_jobs, v_price, 1,
                                   v_money);
end
$$;
