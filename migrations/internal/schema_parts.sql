-- ----------------------------------------------------------------------
-- internal.schema_parts(keyword, value)
--
--      The schemas that a keyword of a schema holds, each with where it is.
--      Inlined, so it carries no SET clause.
--
-- Returns:  at (.name, [n] or nothing), value
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.schema_spec_fault
-- ----------------------------------------------------------------------
create or replace function internal.schema_parts(i_word text, i_value jsonb)
returns table (at text, value jsonb)
language sql immutable
as $$
    select '.' || m.key, m.value
      from jsonb_each(case when i_word in ('properties', 'patternProperties',
                                           'dependentSchemas', '$defs')
                           then i_value end) m
    union all
    select format('[%s]', e.ordinality - 1), e.value
      from jsonb_array_elements(case when i_word in ('allOf', 'anyOf',
                                                     'prefixItems')
                                     then i_value end)
           with ordinality e
    union all
    select '', i_value
     where i_word in ('items', 'additionalProperties', 'propertyNames')
$$;
