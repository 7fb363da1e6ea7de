-- ----------------------------------------------------------------------
-- api.task_submit_batch(orders, channel, trace, key, hash, prices, actions)
--
--      Up to 20 orders in one call, each accepted or refused by itself: what
--      one refuses does not touch the others.  In the order given, so that
--      points go to the first.
--
--      orders: [{task_id, job_ids: [uuid], order}], the order as for
--      api.task_submit
--
-- Returns:  results jsonb, one each: the task as internal.task_columns, or
--           {sqlstate, message, detail}; is_new, _hints jsonb, _events jsonb;
--           for a repeated key what was made, as it is now
-- Raises:   U0422 not 1 to 20 orders
--           U0410 the key was used with another request
-- Writes:   as api.task_submit
-- Called:   what submits many orders at once
-- ----------------------------------------------------------------------
create or replace function api.task_submit_batch(
    i_orders    jsonb,
    i_channel   text,
    i_trace     text,
    i_key       text,
    i_hash      bytea,
    i_prices    text default null,
    i_actions   text[] default null,
    out results  jsonb,
    out is_new   boolean,
    out _hints   jsonb,
    out _events  jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_made  record;
begin
    perform internal.enter('user', 'admin');

    if coalesce(jsonb_typeof(i_orders), '') <> 'array'
       or jsonb_array_length(i_orders) not between 1 and 20
    then
        raise exception '1 to 20 orders are wanted'
              using errcode = 'U0422', detail = '{"field":"orders"}';
    end if;

    _hints := '[]';
    _events := '[]';
    results := internal.idem_begin('task.submit_batch', i_key, i_hash);
    is_new := results is null;
    if is_new then
        results := '[]';
        for i in 0 .. jsonb_array_length(i_orders) - 1 loop
            v_made := internal.task_try(i_orders -> i, i_channel, i_trace,
                                        coalesce(i_prices, i_channel),
                                        i_actions);
            results := results || jsonb_build_array(v_made.said);
            _hints := _hints || v_made.hints;
            _events := _events || v_made.events;
        end loop;
        perform internal.idem_end('task.submit_batch', i_key, results);
        _events := internal.event_append(internal.tenant(), internal.user_id(),
                                         _events);
    end if;

    results := (select jsonb_agg(coalesce(to_jsonb(c) || jsonb_build_object(
                                     'start_at', internal.rfc3339(c.start_at),
                                     'deadline_at',
                                     internal.rfc3339(c.deadline_at),
                                     'created_at',
                                     internal.rfc3339(c.created_at)),
                                     r.value) order by r.ordinality)
                  from jsonb_array_elements(results) with ordinality r
                  left join lateral internal.task_columns(
                       (r.value ->> 'task_id')::uuid) c on true);
end
$$;
