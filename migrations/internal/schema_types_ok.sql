-- ----------------------------------------------------------------------
-- internal.schema_types_ok(type)
--
--      Whether the value of the keyword `type` is a type or an array of some.
--      Inlined, so it carries no SET clause.
--
-- Returns:  boolean
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.schema_spec_fault
-- ----------------------------------------------------------------------
create or replace function internal.schema_types_ok(i_type jsonb)
returns boolean
language sql immutable
as $$
    select jsonb '["null", "boolean", "integer", "number", "string", "array",
                   "object"]'
           @> case jsonb_typeof(i_type) when 'array' then i_type
                   else jsonb_build_array(i_type) end
$$;
