-- ----------------------------------------------------------------------
-- api.admin_workflow_read(workflow, version)
--
--      A workflow, and all of one of its versions: NULL is the live one, or
--      else the newest.
--
-- Returns:  the columns of sys.comfy_workflow_cards; version, state, idle_ms,
--           graph, mapping
-- Raises:   U0403 not the operator's; U0404 there is no such version
-- Writes:   nothing
-- Called:   admin/ngx_http_podi_admin_workflow.c
-- ----------------------------------------------------------------------
create or replace function api.admin_workflow_read(
    i_workflow  text,
    i_version   int)
returns table (
    workflow  text,
    live      int,
    newest    int,
    actions   jsonb,
    versions  jsonb,
    version   int,
    state     text,
    idle_ms   bigint,
    graph     jsonb,
    mapping   jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('admin');
    perform internal.operator_check();

    return query
    select c.*, s.version, s.state, s.idle_ms, s.graph, s.mapping
      from sys.comfy_workflow_show(i_workflow, i_version) s
     cross join sys.comfy_workflow_cards(i_workflow, null, 1) c;
end
$$;
