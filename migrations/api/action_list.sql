-- ----------------------------------------------------------------------
-- api.action_list(actions)
--
--      What may be asked by a channel of these actions (NULL: all), with parameters, labels and prices.
--
-- Returns:  action, label, description, schema (JSON Schema of the parameters),
--           params and any_of (the same for a form: each parameter, and those
--           of which at least one must be given), accepts, inputs, price,
--           timeout_ms
-- Raises:   nothing of its own
-- Writes:   nothing
-- Called:   task/ngx_http_podi_action_list.c
-- ----------------------------------------------------------------------
create or replace function api.action_list(i_actions text[] default null)
returns table (
    action       text,
    label        jsonb,
    description  jsonb,
    schema       jsonb,
    params       jsonb,
    any_of       jsonb,
    accepts      jsonb,
    inputs       jsonb,
    price        bigint,
    timeout_ms   bigint)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('any');

    return query
    select a.action, a.label, a.description, a.schema,
           internal.schema_params(a.schema),
           jsonb_path_query_array(a.schema, '$.anyOf[*].required[*]'),
           a.accepts, a.inputs, a.price, a.timeout_ms
      from action a
     where a.public and a.state = 'active'
           and internal.channel_has(i_actions, a.action)
     order by a.action;
end
$$;
