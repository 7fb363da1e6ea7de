-- ----------------------------------------------------------------------
-- sys.comfy_workflow_put(workflow)
--
--      Adds a version of a workflow, as a draft, unless its newest version says
--      the same.
--
-- Returns:  workflow, version, state, is_new
-- Raises:   U0422 a member that is not known, missing or out of range; its path
--           names the node and the input
-- Writes:   podi.comfy_workflow, podi.operator_audit
-- Called:   podictl comfy workflow put; internal.comfy_apply_one,
--           api.admin_workflow_put
--
--      {workflow, graph, mapping, idle_ms}; see podi.comfy_workflow
-- ----------------------------------------------------------------------
create or replace function sys.comfy_workflow_put(
    i_workflow  jsonb,
    out workflow  text,
    out version   int,
    out state     text,
    out is_new    boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_graph  jsonb := i_workflow -> 'graph';
    v_map    jsonb := i_workflow -> 'mapping';
    v_idle   text := coalesce((i_workflow -> 'idle_ms')::text, '300000');
    v_bad    text;
begin
    v_bad := case when jsonb_typeof(i_workflow) is distinct from 'object'
                  then 'workflow'
             else coalesce(
                 (select min(k.name) from jsonb_object_keys(i_workflow) k (name)
                   where k.name not in ('workflow', 'graph', 'mapping', 'idle_ms')),
                 case when coalesce((i_workflow -> 'workflow')::text, '')
                           !~ '^"[a-z0-9][a-z0-9._-]{0,63}"$' then 'workflow'
                      when v_idle !~ '^[0-9]{4,8}$' then 'idle_ms'
                      when v_idle::int not between 1000 and 86400000
                          then 'idle_ms' end,
                 internal.comfy_graph_fault(v_graph),
                 internal.comfy_mapping_fault(v_graph, v_map)) end;
    if v_bad is not null then
        raise exception 'a workflow has no such %', v_bad
              using errcode = 'U0422',
                    detail = json_build_object('field', v_bad);
    end if;

    workflow := i_workflow ->> 'workflow';
    perform pg_advisory_xact_lock(hashtextextended(comfy_workflow_put.workflow, 24));

    select w.version, w.state, (w.graph, w.mapping, w.idle_ms)
           is distinct from (v_graph, v_map, v_idle::bigint)
      into version, state, is_new
      from comfy_workflow w
     where w.workflow = comfy_workflow_put.workflow
     order by w.version desc limit 1;
    is_new := coalesce(is_new, true);
    if is_new then
        insert into comfy_workflow as w (workflow, version, graph, mapping,
                                         needs, idle_ms)
        values (comfy_workflow_put.workflow,
                coalesce(comfy_workflow_put.version, 0) + 1, v_graph, v_map,
                internal.comfy_needs(v_graph), v_idle::bigint)
        returning w.version, w.state into version, state;
        perform internal.operator_audit('comfy_workflow.put',
                    jsonb_build_object('workflow', comfy_workflow_put.workflow,
                        'version', comfy_workflow_put.version));
    end if;
end
$$;
