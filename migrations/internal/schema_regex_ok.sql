-- ----------------------------------------------------------------------
-- internal.schema_regex_ok(pattern)
--
--      Whether a pattern is one at all.  Invoker rights.
--
-- Returns:  boolean
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.schema_spec_fault
-- ----------------------------------------------------------------------
create or replace function internal.schema_regex_ok(i_pattern text)
returns boolean
language plpgsql immutable
as $$
begin
    return ('' ~ internal.schema_regex(i_pattern)) is not null;
exception
    when invalid_regular_expression then
        return false;
end
$$;
