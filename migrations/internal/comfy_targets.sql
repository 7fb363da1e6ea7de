-- ----------------------------------------------------------------------
-- internal.comfy_targets(mapping)
--
--      Where a mapping writes into its graph.
--      Names only what pg_catalog holds.
--
-- Returns:  path, in the mapping; target; typed: it has to say of which type
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.comfy_mapping_fault, internal.comfy_lacks
-- ----------------------------------------------------------------------
create or replace function internal.comfy_targets(i_mapping jsonb)
returns table (path text, target jsonb, typed boolean)
language sql immutable
as $$
    select format('mapping.params.%s[%s]', p.key, t.n - 1), t.value, true
      from jsonb_each(case jsonb_typeof(i_mapping -> 'params')
                      when 'object' then i_mapping -> 'params' else '{}' end) p
     cross join lateral jsonb_array_elements(
           case jsonb_typeof(p.value) when 'array' then p.value else '[]' end)
           with ordinality t (value, n)
    union all
    select format('mapping.%s[%s]', w.name, t.n - 1), t.value, false
      from unnest('{inputs,seed}'::text[]) w (name)
     cross join lateral jsonb_array_elements(
           case jsonb_typeof(i_mapping -> w.name)
           when 'array' then i_mapping -> w.name else '[]' end)
           with ordinality t (value, n)
$$;
