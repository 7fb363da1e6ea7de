-- ----------------------------------------------------------------------
-- api.admin_server_list(after, limit)
--
--      The ComfyUI servers, by name; after is the last name of the page before.
--
-- Returns:  the columns of sys.comfy_server_cards
-- Raises:   U0403 not the operator's
-- Writes:   nothing
-- Called:   admin/ngx_http_podi_admin_list.c
-- ----------------------------------------------------------------------
create or replace function api.admin_server_list(i_after text, i_limit int)
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

    return query select c.* from sys.comfy_server_cards(null, i_after, i_limit) c;
end
$$;
