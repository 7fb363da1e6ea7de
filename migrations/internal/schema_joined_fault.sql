-- ----------------------------------------------------------------------
-- internal.schema_joined_fault(schema, value, root, depth)
--
--      $ref (within the root), allOf, anyOf.  Of an anyOf that only asks for
--      members, the first member asked for is named.  Invoker rights.
--
-- Returns:  text[] as internal.schema_fault
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.schema_fault
-- ----------------------------------------------------------------------
create or replace function internal.schema_joined_fault(
    i_schema  jsonb,
    i_value   jsonb,
    i_root    jsonb,
    i_depth   int)
returns text[]
language plpgsql immutable
as $$
declare
    v_to   text := i_schema ->> '$ref';
    v_bad  text[];
begin
    if v_to is not null then
        v_bad := internal.schema_fault(
            coalesce(i_root #> string_to_array(ltrim(v_to, '#/'), '/'), 'false'),
            i_value, i_root, i_depth + 1);
    end if;

    for i in 0 .. coalesce(jsonb_array_length(i_schema -> 'allOf'), 0) - 1 loop
        v_bad := coalesce(v_bad, internal.schema_fault(
                     i_schema -> 'allOf' -> i, i_value, i_root, i_depth + 1));
    end loop;
    if v_bad is not null or not i_schema ? 'anyOf' then
        return v_bad;
    end if;

    for i in 0 .. jsonb_array_length(i_schema -> 'anyOf') - 1 loop
        v_bad := internal.schema_fault(i_schema -> 'anyOf' -> i, i_value,
                                       i_root, i_depth + 1);
        if v_bad is null then
            return null;
        end if;
    end loop;

    if i_schema #> '{anyOf,0}' ? 'required' then
        return array['.' || (i_schema #>> '{anyOf,0,required,0}'), 'anyOf',
                     'at least one of ' || internal.schema_list(
                         jsonb_path_query_array(i_schema,
                                                '$.anyOf[*].required[*]'))
                     || ' is wanted'];
    end if;
    return array['', 'anyOf', 'has none of the forms that are allowed'];
end
$$;
