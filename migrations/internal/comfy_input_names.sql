-- ----------------------------------------------------------------------
-- internal.comfy_input_names(card)
--
--      The names of inputs that a server told of: a list, or members.
--
-- Returns:  text, one row each
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.comfy_lacks
-- ----------------------------------------------------------------------
create or replace function internal.comfy_input_names(i_card jsonb)
returns setof text
language sql immutable
as $$
    select k.name
      from jsonb_object_keys(case jsonb_typeof(i_card)
                             when 'object' then i_card else '{}' end) k (name)
    union all
    select e.name
      from jsonb_array_elements_text(case jsonb_typeof(i_card)
                             when 'array' then i_card else '[]' end) e (name)
$$;
