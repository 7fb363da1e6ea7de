-- ----------------------------------------------------------------------
-- api.task_submit(task, jobs, order, channel, trace, key, hash, prices,
--                 actions)
--
--      Makes a task of an order, freezes what it costs, and queues its jobs:
--      all of it or nothing.
--
--      order {inputs: [media], actions: [{action, params?}]}
--         or {jobs: [{key, action, params?, inputs: [{media}|{job}], after?}]}
--            and priority?, on_failure?, start_at?, deadline_at?,
--            expected_price?, quote?
--
-- Returns:  the columns of internal.task_columns, is_new, _hints jsonb (see sys.job_dispatch), _events jsonb; for a
--           repeated key the task as it is now, without hints and events
-- Raises:   U0422, U0430, U0440, U0441 with the field in the detail
--           U0434 the plan has no interactive work
--           U0435 the channel does not have an action
--           U0432 the price is not the expected one; detail expected, price;
--           or the quote is not for this, or no longer
--           U0402 not enough points; detail required, available, missing
--           U0433 a budget has not as much left; see internal.quota_check
--           U0410 the key was used with another request
--           U0400 fewer job ids than jobs
-- Writes:   podi.idempotency, podi.task_header, podi.job, podi.job_need, the
--           wallet tables when it has a price, podi.user_head, podi.user_event
-- Called:   task/ngx_http_podi_task_submit.c
--
--      jobs: an id each, in the order of the inputs, within one in that of the
--      actions, or in that of the graph; what is left over is not used.
--      prices: the name by which rules are looked for, if not the channel's;
--      actions: those that the channel has, NULL: all.
-- ----------------------------------------------------------------------
create or replace function api.task_submit(
    i_task      uuid,
    i_jobs      uuid[],
    i_order     jsonb,
    i_channel   text,
    i_trace     text,
    i_key       text,
    i_hash      bytea,
    i_prices    text default null,
    i_actions   text[] default null)
returns table (
    task_id      uuid,
    state        text,
    price        bigint,
    jobs_total   int,
    channel      text,
    hold_id      bigint,
    priority     text,
    on_failure   text,
    start_at     timestamptz,
    deadline_at  timestamptz,
    round        smallint,
    trace_id     text,
    created_at   timestamptz,
    jobs         jsonb,
    is_new       boolean,
    _hints       jsonb,
    _events      jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
    v_old   jsonb;
    v_made  record;
begin
    perform internal.enter('user', 'admin');

    v_old := internal.idem_begin('task.submit', i_key, i_hash);
    if v_old is not null then
        return query
        select c.*, false, jsonb '[]', jsonb '[]'
          from internal.task_columns((v_old ->> 'task_id')::uuid) c;
        return;
    end if;

    v_made := internal.task_make(i_task, i_jobs, i_order, i_channel, i_trace,
                                 coalesce(i_prices, i_channel), i_actions);

    perform internal.idem_end('task.submit', i_key,
                              jsonb_build_object('task_id', i_task));
    v_made.events := internal.event_append(internal.tenant(),
                         internal.user_id(), v_made.events);

    return query
    select c.*, true, v_made.hints, v_made.events
      from internal.task_columns(i_task) c;
end
$$;
