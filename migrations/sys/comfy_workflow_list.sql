-- ----------------------------------------------------------------------
-- sys.comfy_workflow_list()
--
--      The versions of all workflows, the newest first, and the actions that
--      are carried out by each workflow.
--
-- Returns:  workflow, version, state, actions, nodes, models, idle_ms,
--           created_at, published_at
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podictl comfy workflow list
-- ----------------------------------------------------------------------
drop function if exists sys.comfy_workflow_list();
create or replace function sys.comfy_workflow_list()
returns table (
    workflow      text,
    version       int,
    state         text,
    actions       jsonb,
    nodes         jsonb,
    models        jsonb,
    idle_ms       bigint,
    created_at    timestamptz,
    published_at  timestamptz)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select w.workflow, w.version, w.state,
           (select coalesce(jsonb_agg(a.action order by a.action), '[]')
              from action a
             where a.executor ->> 'kind' = 'comfy'
                   and (a.executor ->> 'workflow' = w.workflow
                        or a.executor -> 'fallback' @> jsonb_build_array(
                               jsonb_build_object('workflow', w.workflow)))),
           w.needs -> 'nodes', w.needs -> 'models', w.idle_ms, w.created_at,
           w.published_at
      from comfy_workflow w
     order by w.workflow, w.version desc;
end
$$;
