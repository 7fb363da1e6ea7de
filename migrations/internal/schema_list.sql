-- ----------------------------------------------------------------------
-- internal.schema_list(values)
--
--      A word or an array of values as a person reads them: a, b, 3.
--      Inlined, so it carries no SET clause.
--
-- Returns:  text
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.schema_fault, internal.schema_joined_fault
-- ----------------------------------------------------------------------
create or replace function internal.schema_list(i_values jsonb)
returns text
language sql immutable
as $$
    select case jsonb_typeof(i_values)
           when 'array' then (select string_agg(coalesce(e.value, 'null'), ', '
                                                order by e.ordinality)
                                from jsonb_array_elements_text(i_values)
                                     with ordinality e)
           else i_values #>> '{}' end
$$;
