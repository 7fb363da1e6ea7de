-- ----------------------------------------------------------------------
-- internal.schema_regex(pattern)
--
--      A pattern of a JSON Schema as PostgreSQL understands it.  Inlined, so it
--      carries no SET clause.
--
-- Returns:  text
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.schema_string_fault, internal.schema_member_fault,
--           internal.schema_regex_ok
-- ----------------------------------------------------------------------
create or replace function internal.schema_regex(i_pattern text)
returns text
language sql immutable
as $$
    select replace(replace(i_pattern, '\p{Letter}', '[[:alpha:]]'),
                   '\p{L}', '[[:alpha:]]')
$$;
