-- ----------------------------------------------------------------------
-- internal.comfy_graph_fault(graph)
--
--      What is wrong with the form of a graph in ComfyUI's API format: nodes by
--      their ids, each of a class, with inputs that are values or links
--      [node, place] to nodes that are there.
--      Names only what pg_catalog holds.
--
-- Returns:  the path of the first fault; graph.nodes: it is what ComfyUI saves
--           for its own editor; NULL: there is none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what checks podi.comfy_workflow, sys.comfy_workflow_put
-- ----------------------------------------------------------------------
create or replace function internal.comfy_graph_fault(i_graph jsonb)
returns text
language plpgsql immutable
as $$
declare
    v_bad  text;
begin
    if jsonb_typeof(i_graph) is distinct from 'object' or i_graph = '{}' then
        return 'graph';
    elsif jsonb_typeof(i_graph -> 'nodes') = 'array' then
        return 'graph.nodes';
    end if;

    select format('graph.%s%s', left(g.key, 64), b.member) into v_bad
      from jsonb_each(i_graph) g
     cross join lateral (
           select case
                  when g.key !~ '^[A-Za-z0-9][A-Za-z0-9_:.-]{0,63}$'
                       or jsonb_typeof(g.value) <> 'object' then ''
                  when coalesce((g.value -> 'class_type')::text, '')
                       !~ '^"[^"\\]{1,200}"$' then '.class_type'
                  when jsonb_typeof(g.value -> 'inputs')
                       is distinct from 'object' then '.inputs' end as member) b
     where b.member is not null
     order by g.key limit 1;
    if found then
        return v_bad;
    end if;

    return (
    select format('graph.%s.inputs.%s', g.key, i.key)
      from jsonb_each(i_graph) g
     cross join lateral jsonb_each(g.value -> 'inputs') i
     where jsonb_typeof(i.value) = 'array'
           and not (jsonb_array_length(i.value) = 2
                    and jsonb_typeof(i.value -> 0) = 'string'
                    and i_graph ? (i.value ->> 0)
                    and (i.value -> 1)::text ~ '^[0-9]{1,3}$')
     order by g.key, i.key limit 1);
end
$$;
