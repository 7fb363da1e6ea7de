-- ----------------------------------------------------------------------
-- api.admin_server_state(server, state)
--
--      Drains, enables or disables a ComfyUI server; again changes nothing.
--
-- Returns:  the columns of sys.comfy_server_cards
-- Raises:   U0403 not the operator's; U0404 there is no such server
-- Writes:   podi.comfy_server, podi.operator_audit
-- Called:   admin/ngx_http_podi_admin_server.c
-- ----------------------------------------------------------------------
create or replace function api.admin_server_state(i_server text, i_state text)
returns table (
    server         text,
    state          text,
    url            text,
    ws_url         text,
    auth           jsonb,
    ca_file        text,
    labels         jsonb,
    slots          int,
    prefetch       int,
    single_tenant  boolean,
    updated_at     timestamptz,
    up             boolean,
    jobs           bigint,
    seen           jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('admin');
    perform internal.operator_check();

    if not exists (select 1 from sys.comfy_server_cards(i_server, null, 1)) then
        raise exception 'there is no such server' using errcode = 'U0404';
    end if;
    perform sys.comfy_server_put(jsonb_build_object('server', i_server,
                                                    'state', i_state));

    return query select c.* from sys.comfy_server_cards(i_server, null, 1) c;
end
$$;
