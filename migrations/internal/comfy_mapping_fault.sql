-- ----------------------------------------------------------------------
-- internal.comfy_mapping_fault(graph, mapping)
--
--      What is wrong with a mapping: each of its places must be in the graph,
--      no link, and no other's; something must come out.
--      Names only what pg_catalog holds, and internal.comfy_targets.
--
-- Returns:  the path of the first fault; NULL: there is none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what checks podi.comfy_workflow, sys.comfy_workflow_put
-- ----------------------------------------------------------------------
create or replace function internal.comfy_mapping_fault(
    i_graph    jsonb,
    i_mapping  jsonb)
returns text
language plpgsql immutable
as $$
declare
    c_kinds  constant jsonb := '{"params": "object", "inputs": "array",
                                 "outputs": "array", "seed": "array",
                                 "keep_temp": "boolean", "strip": "boolean",
                                 "retry_exceptions": "boolean"}';
    v_bad    text;
begin
    if jsonb_typeof(i_mapping) is distinct from 'object' then
        return 'mapping';
    end if;

    select 'mapping.' || m.key into v_bad
      from jsonb_each(i_mapping || jsonb_build_object('outputs',
                                       i_mapping -> 'outputs')) m
     where c_kinds ->> m.key is distinct from jsonb_typeof(m.value)
           or m.key = 'outputs' and m.value = '[]'
     union all
    select 'mapping.params.' || p.key
      from jsonb_each(case jsonb_typeof(i_mapping -> 'params')
                      when 'object' then i_mapping -> 'params' else '{}' end) p
     where p.key !~ '^[A-Za-z_][A-Za-z0-9_]{0,63}$'
           or jsonb_typeof(p.value) <> 'array' or p.value = '[]'
     limit 1;
    if found then
        return v_bad;
    end if;

    select format('mapping.outputs[%s]', o.n - 1) into v_bad
      from jsonb_array_elements(i_mapping -> 'outputs') with ordinality o (value, n)
     where case when jsonb_typeof(o.value) = 'object'
                     and jsonb_typeof(o.value -> 'node') = 'string'
           then o.value - 'node' <> '{}' or not i_graph ? (o.value ->> 'node')
           else true end
     order by o.n limit 1;
    if found then
        return v_bad;
    end if;

    return (
    select t.path
      from (select x.*, row_number() over (partition by x.target -> 'node',
                        x.target -> 'input' order by x.path) as nth
              from internal.comfy_targets(i_mapping) x) t
     where t.nth > 1
           or not coalesce(internal.comfy_target_fits(i_graph, t.target, t.typed),
                           false)
     order by t.path limit 1);
end
$$;
