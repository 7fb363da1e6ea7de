-- ----------------------------------------------------------------------
-- internal.schema_string_fault(schema, string)
--
--      minLength, maxLength (in characters), pattern (not anchored; the
--      regular expressions of PostgreSQL, with \p{Letter} of those of ECMA).
--      Invoker rights.
--
-- Returns:  text[] as internal.schema_fault
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.schema_fault
-- ----------------------------------------------------------------------
create or replace function internal.schema_string_fault(
    i_schema  jsonb,
    i_value   jsonb)
returns text[]
language plpgsql immutable
as $$
declare
    v_text  text := i_value #>> '{}';
begin
    if length(v_text) < (i_schema -> 'minLength')::numeric then
        return array['', 'minLength', format('must have %s characters or more',
                         i_schema -> 'minLength')];
    end if;
    if length(v_text) > (i_schema -> 'maxLength')::numeric then
        return array['', 'maxLength', format('must have %s characters or less',
                         i_schema -> 'maxLength')];
    end if;
    if i_schema ? 'pattern'
       and v_text !~ internal.schema_regex(i_schema ->> 'pattern')
    then
        return array['', 'pattern', format('must match %s',
                         i_schema ->> 'pattern')];
    end if;
    return null;
end
$$;
