-- ----------------------------------------------------------------------
-- api.admin_server_put(server, card)
--
--      Adds a ComfyUI server, or makes one what the card says: what it does
--      not say is as of a new one, but for the state, which stays.
--
-- Returns:  the columns of sys.comfy_server_cards, _is_new
-- Raises:   as sys.comfy_server_put; U0403 not the operator's
-- Writes:   podi.comfy_server, podi.operator_audit
-- Called:   admin/ngx_http_podi_admin_server.c
-- ----------------------------------------------------------------------
create or replace function api.admin_server_put(i_server text, i_card jsonb)
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
    seen           jsonb,
    _is_new        boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_new  boolean;
begin
    perform internal.enter('admin');
    perform internal.operator_check();

    if i_card ? 'server' and i_card -> 'server' <> to_jsonb(i_server) then
        raise exception 'another name than that of the path'
              using errcode = 'U0422', detail = '{"field": "server"}';
    end if;

    select p.is_new into v_new
      from sys.comfy_server_put(internal.comfy_server_whole(
               i_card || jsonb_build_object('server', i_server))) p;

    return query
    select c.*, v_new from sys.comfy_server_cards(i_server, null, 1) c;
end
$$;
