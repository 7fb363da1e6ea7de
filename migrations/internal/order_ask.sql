-- ----------------------------------------------------------------------
-- internal.order_ask(ask, field, names)
--
--      The shape of one entry of actions or jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0422 naming the member that is wrong or not among the names
-- Writes:   nothing
-- Called:   internal.order_asks
-- ----------------------------------------------------------------------
create or replace function internal.order_ask(
    i_ask    jsonb,
    i_field  text,
    i_names  text[])
returns void
language plpgsql
as $$
begin
    if jsonb_typeof(i_ask) <> 'object' then
        perform internal.order_refuse(i_field, 'not an object');
    end if;
    if i_ask - i_names <> '{}' then
        perform internal.order_refuse(i_field || '.' || (
            select min(k.name) from jsonb_object_keys(i_ask - i_names) k (name)),
            'is not known');
    end if;
    if not i_ask ? 'action' then
        perform internal.order_refuse(i_field || '.action',
                                      'the field is required');
    end if;
    if jsonb_typeof(i_ask -> 'action') <> 'string' then
        perform internal.order_refuse(i_field || '.action', 'not a string');
    end if;
    if jsonb_typeof(coalesce(i_ask -> 'params', '{}')) <> 'object' then
        perform internal.order_refuse(i_field || '.params', 'not an object');
    end if;
end
$$;
