-- ----------------------------------------------------------------------
-- internal.task_make(task, jobs, inputs, actions, expected, channel, trace)
--
--      The work of api.task_submit once the request is known to be new.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  hints jsonb of internal.job_hints, events jsonb as stored
-- Raises:   as api.task_submit
-- Writes:   podi.task_header, podi.job, the wallet tables when it has a price,
--           podi.user_head, podi.user_event
-- Called:   api.task_submit
-- ----------------------------------------------------------------------
create or replace function internal.task_make(
    i_task      uuid,
    i_jobs      uuid[],
    i_inputs    uuid[],
    i_actions   jsonb,
    i_expected  bigint,
    i_channel   text,
    i_trace     text,
    out hints   jsonb,
    out events  jsonb)
language plpgsql
as $$
declare
    v_plan     record;
    v_jobs     int;
    v_price    bigint;
    v_wallet   uuid;
    v_hold     bigint;
begin
    select array_agg(to_jsonb(p) order by p.ord) as asks,
           array_agg(p.accepts) as accepts,
           sum(p.price)::bigint as price, count(*)::int as n,
           max(p.max_wait_ms) as max_wait_ms
      into v_plan
      from internal.task_plan(i_actions) p;

    perform internal.inputs_check(i_inputs, v_plan.accepts);

    v_jobs := cardinality(i_inputs) * v_plan.n;
    v_price := cardinality(i_inputs) * v_plan.price;

    if cardinality(i_jobs) is distinct from v_jobs then
        raise exception '% job ids for % jobs', cardinality(i_jobs), v_jobs
              using errcode = 'U0400';
    end if;

    if i_expected <> v_price then
        raise exception 'the price is %, not %', v_price, i_expected
              using errcode = 'U0432',
                    detail = json_build_object('expected', i_expected,
                                               'price', v_price);
    end if;

    if v_price > 0 then
        v_wallet := internal.wallet_of(internal.tenant(), internal.user_id());
        v_hold := internal.hold_freeze(internal.tenant(), v_wallet, i_task, 1,
                      v_price, interval '1 day'
                      + v_plan.max_wait_ms * interval '1 millisecond');
    end if;

    insert into podi.task_header (tenant_id, task_id, user_id, channel, hold_id,
                                  price, jobs_total, jobs_open, trace_id)
    values (internal.tenant(), i_task, internal.user_id(),
            coalesce(i_channel, ''), v_hold, v_price, v_jobs, v_jobs, i_trace);

    hints := internal.job_make(i_task, i_jobs, i_inputs, v_plan.asks);

    events := jsonb_build_array(jsonb_build_object(
                  'type', 'task.queued', 'task_id', i_task, 'trace_id', i_trace,
                  'data', jsonb_build_object('jobs', v_jobs, 'price', v_price)));
    if v_price > 0 then
        events := events || jsonb_set(internal.wallet_event('wallet.frozen',
                      internal.tenant(), v_wallet, v_price, i_task),
                      '{0,trace_id}', to_jsonb(i_trace));
    end if;
    events := internal.event_append(internal.tenant(), internal.user_id(),
                                    events);
end
$$;
