-- ----------------------------------------------------------------------
-- internal.schema_fault(schema, value, root, depth)
--
--      The first thing in which a value is not what its JSON Schema says, in
--      the subset of docs/contracts/task-and-events.md.  root is where $ref
--      is looked up; depth bounds what refers to itself.
--
--      boolean -> type -> enum, const -> what the type has -> $ref, allOf, anyOf
--
--      Names only what pg_catalog and internal hold.  Invoker rights.
--
-- Returns:  text[] {path, keyword, message}, the path like .size or [2].name;
--           NULL when nothing is wrong
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.params_check, internal.schema_object_fault,
--           internal.schema_member_fault, internal.schema_array_fault,
--           internal.schema_joined_fault
-- ----------------------------------------------------------------------
create or replace function internal.schema_fault(
    i_schema  jsonb,
    i_value   jsonb,
    i_root    jsonb default null,
    i_depth   int default 0)
returns text[]
language plpgsql immutable
as $$
declare
    v_type  text := jsonb_typeof(i_value);
    v_bad   text[];
begin
    if jsonb_typeof(i_schema) = 'boolean' then
        return case when not i_schema::boolean
                    then array['', 'false', 'is not allowed here'] end;
    end if;
    if i_depth > 64 then
        return array['', '$ref', 'goes too deep'];
    end if;

    if i_schema ? 'type'
       and not (i_schema -> 'type' ? v_type
                or v_type = 'number' and i_schema -> 'type' ? 'integer'
                   and i_value::numeric = trunc(i_value::numeric))
    then
        return array['', 'type', 'must be ' || internal.schema_list(
                         i_schema -> 'type')];
    end if;
    if i_schema ? 'enum'
       and not (i_schema -> 'enum') @> jsonb_build_array(i_value)
       or i_schema ? 'enum' and v_type in ('array', 'object')
          and not i_value = any (array(
              select e.value from jsonb_array_elements(i_schema -> 'enum') e))
    then
        return array['', 'enum', 'must be one of ' || internal.schema_list(
                         i_schema -> 'enum')];
    end if;
    if i_schema ? 'const' and i_schema -> 'const' <> i_value then
        return array['', 'const', 'must be ' || (i_schema ->> 'const')];
    end if;

    v_bad := case v_type
        when 'number' then internal.schema_number_fault(i_schema, i_value)
        when 'string' then internal.schema_string_fault(i_schema, i_value)
        when 'array'  then internal.schema_array_fault(i_schema, i_value,
                               coalesce(i_root, i_schema), i_depth)
        when 'object' then internal.schema_object_fault(i_schema, i_value,
                               coalesce(i_root, i_schema), i_depth)
        end;
    if v_bad is null and i_schema ?| array['$ref', 'allOf', 'anyOf'] then
        v_bad := internal.schema_joined_fault(i_schema, i_value,
                     coalesce(i_root, i_schema), i_depth);
    end if;
    return v_bad;
end
$$;
