-- ----------------------------------------------------------------------
-- api.admin_server_remove(server)
--
--      Takes a ComfyUI server away.
--
-- Returns:  server
-- Raises:   as sys.comfy_server_remove; U0403 not the operator's
-- Writes:   podi.comfy_server, podi.comfy_seen, podi.operator_audit
-- Called:   admin/ngx_http_podi_admin_server.c
-- ----------------------------------------------------------------------
create or replace function api.admin_server_remove(
    i_server text,
    out server text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('admin');
    perform internal.operator_check();
    select r.server into server from sys.comfy_server_remove(i_server) r;
end
$$;
