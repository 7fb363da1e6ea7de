-- ----------------------------------------------------------------------
-- internal.schema_object_fault(schema, object, root, depth)
--
--      required, minProperties, maxProperties, dependentSchemas; then of each
--      member propertyNames, properties, patternProperties,
--      additionalProperties.  Invoker rights.
--
-- Returns:  text[] as internal.schema_fault
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.schema_fault
-- ----------------------------------------------------------------------
create or replace function internal.schema_object_fault(
    i_schema  jsonb,
    i_value   jsonb,
    i_root    jsonb,
    i_depth   int)
returns text[]
language plpgsql immutable
as $$
declare
    v_member  record;
    v_n       int;
    v_bad     text[];
begin
    if i_schema ? 'required' then
        for i in 0 .. jsonb_array_length(i_schema -> 'required') - 1 loop
            if not i_value ? (i_schema -> 'required' ->> i) then
                return array['.' || (i_schema -> 'required' ->> i), 'required',
                             'is required'];
            end if;
        end loop;
    end if;

    if i_schema ?| array['minProperties', 'maxProperties'] then
        v_n := (select count(*) from jsonb_object_keys(i_value));
        if v_n < (i_schema -> 'minProperties')::numeric then
            return array['', 'minProperties', format('must have %s members or'
                             ' more', i_schema -> 'minProperties')];
        end if;
        if v_n > (i_schema -> 'maxProperties')::numeric then
            return array['', 'maxProperties', format('must have %s members or'
                             ' less', i_schema -> 'maxProperties')];
        end if;
    end if;

    for v_member in select d.value from jsonb_each(i_schema -> 'dependentSchemas') d
                     where i_value ? d.key
    loop
        v_bad := internal.schema_fault(v_member.value, i_value, i_root,
                                       i_depth + 1);
        if v_bad is not null then
            return v_bad;
        end if;
    end loop;

    if not i_schema ?| array['properties', 'patternProperties',
                             'additionalProperties', 'propertyNames']
    then
        return null;
    end if;
    for v_member in select m.key, m.value from jsonb_each(i_value) m loop
        v_bad := internal.schema_member_fault(i_schema, v_member.key,
                                              v_member.value, i_root, i_depth);
        if v_bad is not null then
            return v_bad;
        end if;
    end loop;
    return null;
end
$$;
