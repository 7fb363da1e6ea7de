-- ----------------------------------------------------------------------
-- internal.schema_spec_fault(schema)
--
--      What is wrong with a JSON Schema itself: a keyword that PODI does not
--      know would silently check nothing, so it is refused.  Invoker rights.
--
-- Returns:  text, the path of the first fault; NULL when there is none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.action_put
-- ----------------------------------------------------------------------
create or replace function internal.schema_spec_fault(i_schema jsonb)
returns text
language plpgsql immutable
as $$
declare
    c_kind  constant jsonb := '{
        "type": "string array", "enum": "array", "const": "",
        "minimum": "number", "maximum": "number", "exclusiveMinimum": "number",
        "exclusiveMaximum": "number", "multipleOf": "number",
        "minLength": "number", "maxLength": "number", "pattern": "string",
        "minItems": "number", "maxItems": "number", "uniqueItems": "boolean",
        "items": "object boolean", "prefixItems": "array",
        "minProperties": "number", "maxProperties": "number",
        "required": "array", "properties": "object",
        "patternProperties": "object", "additionalProperties": "object boolean",
        "propertyNames": "object boolean", "dependentSchemas": "object",
        "allOf": "array", "anyOf": "array", "$ref": "string", "$defs": "object",
        "$schema": "string", "$comment": "string", "title": "string",
        "description": "string", "default": "", "x-label": "object",
        "x-description": "object"}';
    v_word  record;
    v_sub   record;
    v_bad   text;
begin
    if jsonb_typeof(i_schema) <> 'object' then
        return case when jsonb_typeof(i_schema) <> 'boolean' then '' end;
    end if;

    for v_word in select w.key, w.value, c_kind ->> w.key as kind
                    from jsonb_each(i_schema) w
    loop
        if v_word.kind is null
           or v_word.kind <> ''
              and not jsonb_typeof(v_word.value)
                      = any (string_to_array(v_word.kind, ' '))
           or v_word.key = 'pattern'
              and not internal.schema_regex_ok(i_schema ->> 'pattern')
           or v_word.key = 'multipleOf' and v_word.value::numeric <= 0
           or v_word.key = '$ref'
              and i_schema ->> '$ref' !~ '^#/\$defs/[A-Za-z0-9_-]+$'
           or v_word.key = 'type'
              and not internal.schema_types_ok(v_word.value)
        then
            return '.' || v_word.key;
        end if;

        for v_sub in select s.at, s.value
                       from internal.schema_parts(v_word.key, v_word.value) s
        loop
            v_bad := internal.schema_spec_fault(v_sub.value);
            if v_bad is not null then
                return '.' || v_word.key || v_sub.at || v_bad;
            end if;
        end loop;
    end loop;
    return null;
end
$$;
