-- ----------------------------------------------------------------------
-- sys.action_put(action)
--
--      Adds an action, or changes the members given of one that is there.
--      Jobs that are under way keep the price, the segments, the cost of a
--      cancel and the limits of their submit.
--
-- Returns:  action, is_new
-- Raises:   U0422 a member that is not known, a schema that says what PODI
--           does not check, segments that do not add up, or an executor that
--           is not there; 23502, 23514 a member that is missing or out of range
-- Writes:   podi.action
-- Called:   podictl
--
--      {action, queue, state, public, label, description, schema, accepts,
--      inputs, price, timeout_ms, max_attempts, max_wait_ms, gates,
--      cost, segments, cancel, tokens, outputs, executor}
-- ----------------------------------------------------------------------
create or replace function sys.action_put(
    i_action  jsonb,
    out action  text,
    out is_new  boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_old  action;
    v_new  action;
    v_bad  text;
begin
    select a.* into v_old from action a where a.action = i_action ->> 'action'
       for update;
    is_new := not found;

    select k.name into v_bad
      from jsonb_object_keys(i_action) k (name)
     where not to_jsonb(v_old) ? k.name or k.name = 'updated_at'
    union all
    select 'schema' || f.fault
      from internal.schema_spec_fault(i_action -> 'schema') f (fault)
     where f.fault is not null
    union all
    select s.fault
      from internal.segments_fault(i_action -> 'segments') s (fault)
     where s.fault is not null
     limit 1;
    if found then
        raise exception 'an action has no such %', v_bad
              using errcode = 'U0422',
                    detail = json_build_object('field', v_bad);
    end if;

    v_new := jsonb_populate_record(null::action,
        case when is_new
             then jsonb '{"state": "active", "public": true,
                          "schema": {"type": "object", "properties": {},
                                     "additionalProperties": false},
                          "inputs": {"min": 1, "max": 1},
                          "max_attempts": 3, "gates": [], "cost": 1,
                          "segments": [], "cancel": "none", "tokens": 0,
                          "outputs": 0, "executor": {"kind": "builtin"}}'
             else to_jsonb(v_old) end
        || i_action || jsonb_build_object('updated_at', now()));
    perform internal.executor_check(v_new);

    insert into action as a select v_new.*
        on conflict on constraint action_pkey do update
       set queue = excluded.queue, state = excluded.state,
           public = excluded.public, label = excluded.label,
           description = excluded.description, schema = excluded.schema,
           accepts = excluded.accepts,
           inputs = excluded.inputs, price = excluded.price,
           timeout_ms = excluded.timeout_ms,
           max_attempts = excluded.max_attempts,
           max_wait_ms = excluded.max_wait_ms, gates = excluded.gates,
           cost = excluded.cost, segments = excluded.segments,
           cancel = excluded.cancel, tokens = excluded.tokens,
           outputs = excluded.outputs, executor = excluded.executor,
           updated_at = now();
    action := v_new.action;
end
$$;
