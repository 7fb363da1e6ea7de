-- ----------------------------------------------------------------------
-- internal.schema_number_fault(schema, number)
--
--      minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, exact
--      to the last digit.  Invoker rights.
--
-- Returns:  text[] as internal.schema_fault
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.schema_fault
-- ----------------------------------------------------------------------
create or replace function internal.schema_number_fault(
    i_schema  jsonb,
    i_value   jsonb)
returns text[]
language plpgsql immutable
as $$
declare
    v_n  numeric := i_value::numeric;
begin
    if v_n < (i_schema -> 'minimum')::numeric
       or v_n > (i_schema -> 'maximum')::numeric
    then
        return array['', case when v_n < (i_schema -> 'minimum')::numeric
                              then 'minimum' else 'maximum' end,
                     case when i_schema ?& array['minimum', 'maximum']
                          then format('must be from %s to %s',
                                      i_schema -> 'minimum',
                                      i_schema -> 'maximum')
                          when i_schema ? 'minimum'
                          then format('must be %s or more',
                                      i_schema -> 'minimum')
                          else format('must be %s or less',
                                      i_schema -> 'maximum') end];
    end if;
    if v_n <= (i_schema -> 'exclusiveMinimum')::numeric then
        return array['', 'exclusiveMinimum', format('must be more than %s',
                         i_schema -> 'exclusiveMinimum')];
    end if;
    if v_n >= (i_schema -> 'exclusiveMaximum')::numeric then
        return array['', 'exclusiveMaximum', format('must be less than %s',
                         i_schema -> 'exclusiveMaximum')];
    end if;
    if v_n % (i_schema -> 'multipleOf')::numeric <> 0 then
        return array['', 'multipleOf', format('must be a multiple of %s',
                         i_schema -> 'multipleOf')];
    end if;
    return null;
end
$$;
