-- ----------------------------------------------------------------------
-- api.action_list()
--
--      What may be asked, with parameters, labels and prices.
--
-- Returns:  action, label, description, params, any_of (at least one of these
--           parameters must be given), accepts, inputs, price, timeout_ms
-- Raises:   nothing of its own
-- Writes:   nothing
-- Called:   task/ngx_http_podi_action_list.c
-- ----------------------------------------------------------------------
create or replace function api.action_list()
returns table (
    action       text,
    label        jsonb,
    description  jsonb,
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
    select a.action, a.label, a.description, a.params, to_jsonb(a.any_of),
           a.accepts, a.inputs, a.price, a.timeout_ms
      from action a
     where a.public and a.state = 'active'
     order by a.action;
end
$$;
