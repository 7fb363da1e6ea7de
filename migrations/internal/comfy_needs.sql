-- ----------------------------------------------------------------------
-- internal.comfy_needs(graph)
--
--      What a server must have to run a graph: classes of nodes, and models,
--      which are told by what their files are called.
--
-- Returns:  {nodes: [class], models: [name]}
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.comfy_workflow_put
-- ----------------------------------------------------------------------
create or replace function internal.comfy_needs(i_graph jsonb)
returns jsonb
language sql immutable
as $$
    select jsonb_build_object(
               'nodes', (select coalesce(jsonb_agg(distinct
                                g.value ->> 'class_type'), '[]')
                           from jsonb_each(i_graph) g),
               'models', (select coalesce(jsonb_agg(distinct i.value), '[]')
                            from jsonb_each(i_graph) g
                           cross join lateral jsonb_each_text(
                                 g.value -> 'inputs') i
                           where internal.comfy_is_model(i.value)))
$$;
