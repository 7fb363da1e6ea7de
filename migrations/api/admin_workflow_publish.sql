-- ----------------------------------------------------------------------
-- api.admin_workflow_publish(workflow, version)
--
--      Makes a version of a workflow the live one; again changes nothing.
--
-- Returns:  workflow, version, server, retired, as sys.comfy_workflow_publish
-- Raises:   as sys.comfy_workflow_publish; U0403 not the operator's
-- Writes:   podi.comfy_workflow, podi.operator_audit
-- Called:   admin/ngx_http_podi_admin_workflow.c
-- ----------------------------------------------------------------------
create or replace function api.admin_workflow_publish(
    i_workflow  text,
    i_version   int,
    out workflow  text,
    out version   int,
    out server    text,
    out retired   int)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('admin');
    perform internal.operator_check();

    select p.workflow, p.version, p.server, p.retired
      into workflow, version, server, retired
      from sys.comfy_workflow_publish(i_workflow, i_version) p;
end
$$;
