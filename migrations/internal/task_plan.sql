-- ----------------------------------------------------------------------
-- internal.task_plan(actions)
--
--      Reads what was asked: each action looked up, its parameters checked and
--      filled in.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  one row an action, in the order asked: ord (from 0), action,
--           queue, params, accepts, price, max_attempts, max_wait_ms
-- Raises:   U0422 a field has a wrong value, named in the detail
--           U0430 there is no such action (or none for users)
-- Writes:   nothing
-- Called:   api.task_quote, internal.task_make
-- ----------------------------------------------------------------------
create or replace function internal.task_plan(i_actions jsonb)
returns table (
    ord           int,
    action        text,
    queue         text,
    params        jsonb,
    accepts       jsonb,
    price         bigint,
    max_attempts  smallint,
    max_wait_ms   bigint)
language plpgsql
as $$
declare
    v_ask     record;
    v_action  podi.action;
    v_field   text;
begin
    if coalesce(jsonb_typeof(i_actions), '') <> 'array'
       or jsonb_array_length(i_actions) not between 1 and 64
    then
        raise exception '1 to 64 actions are wanted'
              using errcode = 'U0422', detail = '{"field":"actions"}';
    end if;

    for v_ask in
        select e.value as ask, (e.ordinality - 1)::int as n
          from jsonb_array_elements(i_actions) with ordinality e
    loop
        v_field := 'actions[' || v_ask.n || ']';

        if coalesce(jsonb_typeof(v_ask.ask -> 'action'), '') <> 'string' then
            raise exception 'an action has a name'
                  using errcode = 'U0422',
                        detail = json_build_object('field', v_field || '.action');
        end if;

        if jsonb_typeof(coalesce(v_ask.ask -> 'params', '{}')) <> 'object' then
            raise exception 'parameters are an object'
                  using errcode = 'U0422',
                        detail = json_build_object('field', v_field || '.params');
        end if;

        select a.* into v_action
          from podi.action a
         where a.action = v_ask.ask ->> 'action' and a.public
               and a.state = 'active';
        if not found then
            raise exception 'no action %', v_ask.ask ->> 'action'
                  using errcode = 'U0430',
                        detail = json_build_object('field', v_field || '.action');
        end if;

        ord := v_ask.n;
        action := v_action.action;
        queue := v_action.queue;
        params := internal.params_check(v_action.schema,
                      coalesce(v_ask.ask -> 'params', '{}'),
                      v_field || '.params');
        accepts := v_action.accepts;
        price := v_action.price;
        max_attempts := v_action.max_attempts;
        max_wait_ms := v_action.max_wait_ms;
        return next;
    end loop;
end
$$;
