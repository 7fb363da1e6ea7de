-- ----------------------------------------------------------------------
-- sys.comfy_server_put(server)
--
--      Adds a ComfyUI server, or changes the members given of one that is
--      there; null takes one away.  Keys are named, and must be there.  What
--      it said before changes nothing.
--
-- Returns:  server, state, is_new
-- Raises:   U0422 a member that is not known, missing or out of range
--           U0409 it is not as it was at updated_at, when that is given
-- Writes:   podi.comfy_server, podi.operator_audit
-- Called:   podictl comfy server put, drain, enable and disable;
--           internal.comfy_apply_one, internal.comfy_prune,
--           api.admin_server_put, api.admin_server_state
--
--      {server, url, ws_url, auth, ca_file, labels, slots, prefetch, state,
--      single_tenant, updated_at}; see podi.comfy_server
-- ----------------------------------------------------------------------
create or replace function sys.comfy_server_put(
    i_server  jsonb,
    out server  text,
    out state   text,
    out is_new  boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_old  comfy_server;
    v_new  comfy_server;
    v_bad  text;
begin
    select s.* into v_old from comfy_server s
     where s.server = i_server ->> 'server'
       for update;
    is_new := not found;
    if i_server ? 'updated_at' and i_server ->> 'updated_at'
       is distinct from internal.rfc3339(v_old.updated_at) then
        raise exception 'it was changed since' using errcode = 'U0409',
              detail = '{"field": "updated_at"}';
    end if;

    select k.name into v_bad
      from jsonb_object_keys(i_server) k (name)
     where not to_jsonb(v_old) ? k.name
     limit 1;
    v_bad := coalesce(v_bad, internal.comfy_card_fault(i_server));
    if v_bad is null then
        v_new := jsonb_populate_record(null::comfy_server,
            case when is_new
                 then jsonb '{"auth": {}, "labels": [], "slots": 1,
                              "prefetch": 1, "state": "active",
                              "single_tenant": false}'
                 else to_jsonb(v_old) end
            || i_server || jsonb_build_object('updated_at', now()));
        v_bad := coalesce(internal.comfy_server_fault(v_new),
                          internal.comfy_keys_fault(v_new.auth));
    end if;
    if v_bad is not null then
        raise exception 'a server has no such %', v_bad
              using errcode = 'U0422',
                    detail = json_build_object('field', v_bad);
    end if;

    server := v_new.server;
    state := v_new.state;
    if to_jsonb(v_new) - 'updated_at' = to_jsonb(v_old) - 'updated_at' then
        return;
    end if;

    insert into comfy_server as s select v_new.*
        on conflict on constraint comfy_server_pkey do update
       set url = excluded.url, ws_url = excluded.ws_url, auth = excluded.auth,
           ca_file = excluded.ca_file, labels = excluded.labels,
           slots = excluded.slots, prefetch = excluded.prefetch,
           state = excluded.state, single_tenant = excluded.single_tenant,
           updated_at = excluded.updated_at;
    perform internal.operator_audit('comfy_server.put', i_server - 'updated_at');
end
$$;
