-- ----------------------------------------------------------------------
-- internal.comfy_target_fits(graph, target, typed)
--
--      Whether a place of a mapping is one: {node, input}, with a type when it
--      has to say it, in a node that is there, where no link is.
--      Names only what pg_catalog holds.
--
-- Returns:  boolean, or NULL: not
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.comfy_mapping_fault
-- ----------------------------------------------------------------------
create or replace function internal.comfy_target_fits(
    i_graph   jsonb,
    i_target  jsonb,
    i_typed   boolean)
returns boolean
language sql immutable
as $$
    select case when jsonb_typeof(i_target) = 'object' then
                i_target - '{node,input,type}'::text[] = '{}'
                and (i_target ? 'type') = i_typed
                and (not i_typed or i_target ->> 'type' in
                     ('integer', 'number', 'string', 'boolean'))
                and jsonb_typeof(i_target -> 'node') = 'string'
                and (i_target -> 'input')::text ~ '^"[^"\\]{1,200}"$'
                and i_graph ? (i_target ->> 'node')
                and jsonb_typeof(coalesce(i_graph -> (i_target ->> 'node')
                        -> 'inputs' -> (i_target ->> 'input'), 'null')) <> 'array'
           end
$$;
