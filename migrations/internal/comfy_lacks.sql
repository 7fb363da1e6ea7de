-- ----------------------------------------------------------------------
-- internal.comfy_lacks(graph, mapping, nodes, models)
--
--      What a server, by what was seen of it, lacks to run a workflow: nodes,
--      inputs that are required and not given, places of the mapping, models.
--      Inputs that it does not know are let be, because ComfyUI lets them be.
--      Models are looked for among those of their input, else among all; not at
--      all when none were seen.
--
-- Returns:  path, why: one row for each
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.comfy_workflow_publish,
--           sys.comfy_graph_fits
-- ----------------------------------------------------------------------
create or replace function internal.comfy_lacks(
    i_graph    jsonb,
    i_mapping  jsonb,
    i_nodes    jsonb,
    i_models   jsonb)
returns table (path text, why text)
language sql immutable
as $$
    with n as (
        select g.key as node, g.value ->> 'class_type' as class,
               g.value -> 'inputs' as given,
               i_nodes -> (g.value ->> 'class_type') as card
          from jsonb_each(i_graph) g
    ), t as (
        select x.path, x.target ->> 'node' as node,
               x.target ->> 'input' as input
          from internal.comfy_targets(i_mapping) x
    )
    select format('graph.%s.class_type', n.node),
           format('it has no node %s', n.class)
      from n
     where n.card is null
    union all
    select format('graph.%s.inputs.%s', n.node, r.name),
           format('%s wants a %s', n.class, r.name)
      from n cross join lateral
           internal.comfy_input_names(n.card -> 'required') r (name)
     where not n.given ? r.name
           and not exists (select 1 from t
                            where t.node = n.node and t.input = r.name)
    union all
    select t.path, format('%s has no %s', n.class, t.input)
      from t join n on n.node = t.node
     where n.card is not null
           and not (coalesce(n.card -> 'required', '{}') ? t.input
                    or coalesce(n.card -> 'optional', '{}') ? t.input)
    union all
    select format('graph.%s.inputs.%s', n.node, i.key),
           format('it has no model %s', left(i.value, 100))
      from n cross join lateral jsonb_each_text(n.given) i
     where i_models is not null and internal.comfy_is_model(i.value)
           and not exists (select 1 from jsonb_each(i_models) f
                            where f.value ? i.value
                                  and (f.key = i.key or not i_models ? i.key))
$$;
