-- ----------------------------------------------------------------------
-- internal.order_asks(asks, field, channel)
--
--      Looks up each action that is asked for, with the price rule that is in
--      force for it, and checks and fills in its parameters.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job_plan[], in the order asked, without inputs and price
-- Raises:   U0422 a member has a wrong value, named in the detail
--           U0430 there is no such action (or none for users)
-- Writes:   nothing
-- Called:   internal.task_plan
-- ----------------------------------------------------------------------
create or replace function internal.order_asks(
    i_asks     jsonb,
    i_field    text,
    i_channel  text)
returns podi.job_plan[]
language plpgsql
as $$
declare
    v_n    int;
    v_max  int := case i_field when 'actions' then 16 else 64 end;
    v_ask  jsonb;
    v_all  podi.job_plan[] := '{}';
    v_one  podi.job_plan;
begin
    if coalesce(jsonb_typeof(i_asks), '') = 'array' then
        v_n := jsonb_array_length(i_asks);
    end if;
    if v_n is null or v_n not between 1 and v_max then
        perform internal.order_refuse(i_field, case when i_asks is null
                    then 'the field is required'
                    else format('1 to %s are wanted', v_max) end);
    end if;

    for i in 0 .. v_n - 1 loop
        v_ask := i_asks -> i;
        perform internal.order_ask(v_ask, format('%s[%s]', i_field, i),
            case i_field when 'actions' then array['action', 'params']
            else array['key', 'action', 'params', 'inputs', 'after'] end);

        v_one := internal.order_action(v_ask ->> 'action', i_channel);
        if v_one.action is null then
            raise exception 'no action %', v_ask ->> 'action'
                  using errcode = 'U0430',
                        detail = json_build_object('field',
                                     format('%s[%s].action', i_field, i));
        end if;

        v_one.field := i_field || '[' || i || ']';
        v_one.params := internal.params_check(v_one.params,
                            coalesce(v_ask -> 'params', '{}'),
                            v_one.field || '.params');
        v_all := v_all || v_one;
    end loop;
    return v_all;
end
$$;
