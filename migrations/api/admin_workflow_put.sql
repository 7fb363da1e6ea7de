-- ----------------------------------------------------------------------
-- api.admin_workflow_put(workflow, card)
--
--      Adds a version of a workflow, as a draft, unless its newest version says
--      the same.
--
-- Returns:  workflow, version, state, is_new
-- Raises:   as sys.comfy_workflow_put; U0403 not the operator's
-- Writes:   podi.comfy_workflow, podi.operator_audit
-- Called:   admin/ngx_http_podi_admin_workflow.c
-- ----------------------------------------------------------------------
create or replace function api.admin_workflow_put(
    i_workflow  text,
    i_card      jsonb,
    out workflow  text,
    out version   int,
    out state     text,
    out is_new    boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('admin');
    perform internal.operator_check();

    if i_card ? 'workflow' and i_card -> 'workflow' <> to_jsonb(i_workflow) then
        raise exception 'another name than that of the path'
              using errcode = 'U0422', detail = '{"field": "workflow"}';
    end if;

    select p.workflow, p.version, p.state, p.is_new
      into workflow, version, state, is_new
      from sys.comfy_workflow_put(
               i_card || jsonb_build_object('workflow', i_workflow)) p;
end
$$;
