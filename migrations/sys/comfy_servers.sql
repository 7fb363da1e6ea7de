-- ----------------------------------------------------------------------
-- sys.comfy_servers()
--
--      The ComfyUI servers that there are, what was last seen of each, and the
--      keys that it is talked to with, sealed.
--
-- Returns:  server, url, ws_url, auth, ca_file, labels, slots, prefetch, state,
--           single_tenant, updated_at; seen {at, ok, version, queue_remaining,
--           targeted_interrupt, fault}; keys [{key_id, provider, name, kek,
--           sealed}], sealed in hex
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what runs jobs on ComfyUI servers
-- ----------------------------------------------------------------------
create or replace function sys.comfy_servers()
returns table (
    server         text,
    url            text,
    ws_url         text,
    auth           jsonb,
    ca_file        text,
    labels         text[],
    slots          int,
    prefetch       int,
    state          text,
    single_tenant  boolean,
    updated_at     timestamptz,
    seen           jsonb,
    keys           jsonb)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select s.server, s.url, s.ws_url, s.auth, s.ca_file, s.labels, s.slots,
           s.prefetch, s.state, s.single_tenant, s.updated_at,
           (select to_jsonb(e) - '{server,nodes,models}'::text[]
              from comfy_seen e where e.server = s.server),
           internal.comfy_server_keys(s.auth)
      from comfy_server s
     order by s.server;
end
$$;
