-- ----------------------------------------------------------------------
-- internal.order_terms(order)
--
--      What an order says besides its jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  priority (0 interactive, 1 normal, 2 batch), on_failure, start_at,
--           deadline_at, expected (price, or NULL)
-- Raises:   U0422 naming the member that is wrong or not known
--           U0434 the plan of the tenant has no interactive work
-- Writes:   nothing
-- Called:   internal.task_make, api.task_quote
-- ----------------------------------------------------------------------
create or replace function internal.order_terms(
    i_order          jsonb,
    out priority     smallint,
    out on_failure   text,
    out start_at     timestamptz,
    out deadline_at  timestamptz,
    out expected     bigint)
language plpgsql
as $$
declare
    c_names  constant text[] := '{inputs,actions,jobs,priority,on_failure,
                                  start_at,deadline_at,expected_price,quote}';
    v_bad    text;
begin
    if coalesce(jsonb_typeof(i_order), '') <> 'object' then
        perform internal.order_refuse('', 'an order is an object');
    end if;
    if i_order - c_names <> '{}' then
        v_bad := (select min(k.name) from jsonb_object_keys(i_order - c_names)
                  k (name));
        perform internal.order_refuse(v_bad, 'is not known');
    end if;
    if i_order ? 'jobs' and i_order ?| array['inputs', 'actions'] then
        perform internal.order_refuse('jobs',
                    'either jobs, or inputs and actions');
    end if;

    priority := array_position(array['interactive', 'normal', 'batch'],
                    coalesce(i_order ->> 'priority', 'normal')) - 1;
    if priority is null then
        perform internal.order_refuse('priority',
                    'must be interactive, normal or batch');
    elsif priority = 0 and not (
        select p.interactive
          from podi.tenant t join podi.plan p on p.plan = t.plan
         where t.tenant_id = internal.tenant())
    then
        raise exception 'the plan has no interactive work'
              using errcode = 'U0434', detail = '{"field":"priority"}';
    end if;
    on_failure := coalesce(i_order ->> 'on_failure', 'continue');
    if on_failure not in ('continue', 'stop') then
        perform internal.order_refuse('on_failure', 'must be continue or stop');
    end if;

    start_at := internal.order_time(i_order, 'start_at', now());
    deadline_at := internal.order_time(i_order, 'deadline_at',
                                       greatest(start_at, now()));

    if coalesce(i_order -> 'expected_price', 'null') <> 'null' then
        if jsonb_typeof(i_order -> 'expected_price') <> 'number'
           or (i_order -> 'expected_price')::numeric
              not between 0 and 9223372036854775807
           or (i_order -> 'expected_price')::numeric % 1 <> 0
        then
            perform internal.order_refuse('expected_price', 'must be points');
        end if;
        expected := (i_order -> 'expected_price')::bigint;
    end if;
end
$$;
