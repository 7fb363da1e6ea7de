-- ----------------------------------------------------------------------
-- internal.priority_word(priority)
--
--      What a priority is called outside.  Inlined, so it carries no SET
--      clause.
--
-- Returns:  text: interactive, normal or batch
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.task_columns, api.task_list, api.task_read
-- ----------------------------------------------------------------------
create or replace function internal.priority_word(i_priority smallint)
returns text
language sql immutable
as $$
    select (array['interactive', 'normal', 'batch'])[i_priority + 1]
$$;
