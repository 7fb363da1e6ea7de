-- ----------------------------------------------------------------------
-- internal.schema_array_fault(schema, array, root, depth)
--
--      minItems, maxItems, uniqueItems, prefixItems, items.  Invoker rights.
--
-- Returns:  text[] as internal.schema_fault
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.schema_fault
-- ----------------------------------------------------------------------
create or replace function internal.schema_array_fault(
    i_schema  jsonb,
    i_value   jsonb,
    i_root    jsonb,
    i_depth   int)
returns text[]
language plpgsql immutable
as $$
declare
    v_n      int := jsonb_array_length(i_value);
    v_first  int := coalesce(jsonb_array_length(i_schema -> 'prefixItems'), 0);
    v_item   jsonb;
    v_bad    text[];
begin
    if v_n < (i_schema -> 'minItems')::numeric then
        return array['', 'minItems', format('must have %s items or more',
                         i_schema -> 'minItems')];
    end if;
    if v_n > (i_schema -> 'maxItems')::numeric then
        return array['', 'maxItems', format('must have %s items or less',
                         i_schema -> 'maxItems')];
    end if;
    if i_schema -> 'uniqueItems' = 'true'
       and v_n > (select count(distinct e.value)
                    from jsonb_array_elements(i_value) e)
    then
        return array['', 'uniqueItems', 'must have no item twice'];
    end if;

    for i in 0 .. v_n - 1 loop
        v_item := case when i < v_first then i_schema -> 'prefixItems' -> i
                       else i_schema -> 'items' end;
        continue when v_item is null;
        v_bad := internal.schema_fault(v_item, i_value -> i, i_root,
                                       i_depth + 1);
        if v_bad is not null then
            v_bad[1] := '[' || i || ']' || v_bad[1];
            return v_bad;
        end if;
    end loop;
    return null;
end
$$;
