-- ----------------------------------------------------------------------
-- internal.schema_member_fault(schema, name, value, root, depth)
--
--      One member of an object: its name, what its name or the pattern of it
--      asks for, and whether it may be there at all.  Invoker rights.
--
-- Returns:  text[] as internal.schema_fault
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.schema_object_fault
-- ----------------------------------------------------------------------
create or replace function internal.schema_member_fault(
    i_schema  jsonb,
    i_name    text,
    i_value   jsonb,
    i_root    jsonb,
    i_depth   int)
returns text[]
language plpgsql immutable
as $$
declare
    v_own    jsonb := i_schema -> 'properties' -> i_name;
    v_known  boolean := v_own is not null;
    v_like   record;
    v_bad    text[];
begin
    if i_schema ? 'propertyNames' then
        v_bad := internal.schema_fault(i_schema -> 'propertyNames',
                                       to_jsonb(i_name), i_root, i_depth + 1);
    end if;
    if v_bad is null and v_known then
        v_bad := internal.schema_fault(v_own, i_value, i_root, i_depth + 1);
    end if;

    if v_bad is null and i_schema ? 'patternProperties' then
        for v_like in select p.value
                        from jsonb_each(i_schema -> 'patternProperties') p
                       where i_name ~ internal.schema_regex(p.key)
        loop
            v_known := true;
            v_bad := coalesce(v_bad, internal.schema_fault(v_like.value,
                                         i_value, i_root, i_depth + 1));
        end loop;
    end if;

    if not v_known and i_schema ? 'additionalProperties' then
        v_bad := internal.schema_fault(i_schema -> 'additionalProperties',
                                       i_value, i_root, i_depth + 1);
        if v_bad[2] = 'false' then
            v_bad := array['', 'additionalProperties', 'is not known'];
        end if;
    end if;

    if v_bad is not null then
        v_bad[1] := '.' || i_name || v_bad[1];
    end if;
    return v_bad;
end
$$;
