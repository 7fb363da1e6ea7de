-- ----------------------------------------------------------------------
-- api.admin_server_read(server)
--
--      One ComfyUI server.
--
-- Returns:  the columns of sys.comfy_server_cards
-- Raises:   U0403 not the operator's; U0404 there is no such server
-- Writes:   nothing
-- Called:   admin/ngx_http_podi_admin_server.c
-- ----------------------------------------------------------------------
create or replace function api.admin_server_read(i_server text)
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

    return query select c.* from sys.comfy_server_cards(i_server, null, 1) c;
    if not found then
        raise exception 'there is no such server' using errcode = 'U0404';
    end if;
end
$$;
