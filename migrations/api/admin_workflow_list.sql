-- ----------------------------------------------------------------------
-- api.admin_workflow_list(after, limit)
--
--      The workflows, by name; after is the last name of the page before.
--
-- Returns:  the columns of sys.comfy_workflow_cards
-- Raises:   U0403 not the operator's
-- Writes:   nothing
-- Called:   admin/ngx_http_podi_admin_list.c
-- ----------------------------------------------------------------------
create or replace function api.admin_workflow_list(i_after text, i_limit int)
returns table (
    workflow  text,
    live      int,
    newest    int,
    actions   jsonb,
    versions  jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('admin');
    perform internal.operator_check();

    return query
    select c.* from sys.comfy_workflow_cards(null, i_after, i_limit) c;
end
$$;
