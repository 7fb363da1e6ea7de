-- ----------------------------------------------------------------------
-- internal.schema_params(schema)
--
--      The parameters of an action as a form wants them: what its schema says
--      of each, flat.  Inlined, so it carries no SET clause.
--
-- Returns:  jsonb {name: {type, minimum?, maximum?, enum?, default?, required?,
--           label?, description?, ...}}
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.action_list
-- ----------------------------------------------------------------------
create or replace function internal.schema_params(i_schema jsonb)
returns jsonb
language sql stable
as $$
    select coalesce(jsonb_object_agg(p.key,
               (p.value - '{x-label,x-description,description}'::text[])
               || jsonb_strip_nulls(jsonb_build_object(
                      'label', p.value -> 'x-label',
                      'description', coalesce(p.value -> 'x-description',
                                              p.value -> 'description'),
                      'required', case when i_schema -> 'required' ? p.key
                                       then true end))), '{}')
      from jsonb_each(i_schema -> 'properties') p
$$;
