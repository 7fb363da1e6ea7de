-- ----------------------------------------------------------------------
-- sys.comfy_workflow_cards(workflow, after, limit)
--
--      Workflows as the admin API shows them, by name: one, or those after a
--      name.
--
-- Returns:  workflow; live: the version that is run, or NULL; newest; actions
--           that are carried out by it; versions [{version, state, nodes,
--           models, idle_ms, created_at, published_at}], the newest 50 first
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.admin_workflow_*
-- ----------------------------------------------------------------------
create or replace function sys.comfy_workflow_cards(
    i_workflow  text,
    i_after     text,
    i_limit     int)
returns table (
    workflow  text,
    live      int,
    newest    int,
    actions   jsonb,
    versions  jsonb)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select w.workflow, min(w.version) filter (where w.state = 'live'),
           max(w.version),
           (select coalesce(jsonb_agg(a.action order by a.action), '[]')
              from action a
             where a.executor ->> 'kind' = 'comfy'
                   and a.executor ->> 'workflow' = w.workflow),
           (select jsonb_agg(jsonb_build_object(
                       'version', v.version, 'state', v.state,
                       'nodes', v.needs -> 'nodes',
                       'models', v.needs -> 'models', 'idle_ms', v.idle_ms,
                       'created_at', internal.rfc3339(v.created_at),
                       'published_at', internal.rfc3339(v.published_at))
                       order by v.version desc)
              from comfy_workflow v
             where v.workflow = w.workflow and v.version > max(w.version) - 50)
      from comfy_workflow w
     where (i_workflow is null or w.workflow = i_workflow)
           and (i_after is null or w.workflow > i_after)
     group by w.workflow
     order by w.workflow
     limit least(greatest(coalesce(i_limit, 50), 1), 1000);
end
$$;
