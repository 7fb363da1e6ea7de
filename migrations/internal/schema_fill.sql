-- ----------------------------------------------------------------------
-- internal.schema_fill(schema, value)
--
--      A value that its schema allows, with the defaults of what was not given;
--      integers are written as integers (800.0 becomes 800).  Invoker rights.
--
-- Returns:  jsonb
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.params_check
-- ----------------------------------------------------------------------
create or replace function internal.schema_fill(i_schema jsonb, i_value jsonb)
returns jsonb
language plpgsql immutable
as $$
begin
    if i_schema -> 'type' = '"integer"'
       and jsonb_typeof(i_value) = 'number'
    then
        return to_jsonb(trunc(i_value::numeric));
    end if;

    if jsonb_typeof(i_value) <> 'object' or not i_schema ? 'properties' then
        return i_value;
    end if;

    return i_value || coalesce((
        select jsonb_object_agg(p.key, internal.schema_fill(p.value,
                   coalesce(i_value -> p.key, p.value -> 'default')))
          from jsonb_each(i_schema -> 'properties') p
         where i_value ? p.key or p.value ? 'default'), '{}');
end
$$;
