-- ----------------------------------------------------------------------
-- sys.comfy_workflow_show(workflow, version)
--
--      One version of a workflow, as sys.comfy_workflow_put takes it.
--
-- Returns:  workflow, version, state, idle_ms, graph, mapping
-- Raises:   U0404 there is no such version
-- Writes:   nothing
-- Called:   podictl comfy workflow show; api.admin_workflow_read
--
--      version NULL: the live one, or else the newest
-- ----------------------------------------------------------------------
create or replace function sys.comfy_workflow_show(i_workflow text, i_version int)
returns table (
    workflow  text,
    version   int,
    state     text,
    idle_ms   bigint,
    graph     jsonb,
    mapping   jsonb)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select w.workflow, w.version, w.state, w.idle_ms, w.graph, w.mapping
      from comfy_workflow w
     where w.workflow = i_workflow
           and w.version = coalesce(i_version, w.version)
     order by w.state = 'live' desc, w.version desc limit 1;
    if not found then
        raise exception 'there is no such version' using errcode = 'U0404';
    end if;
end
$$;
