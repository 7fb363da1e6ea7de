-- ----------------------------------------------------------------------
-- sys.comfy_server_cards(server, after, limit)
--
--      ComfyUI servers as the admin API shows them, by name: one, or those
--      after a name.  Keys are named, never told.
--
-- Returns:  server, state, url, ws_url, auth, ca_file, labels, slots, prefetch,
--           single_tenant, updated_at; up: it answers; jobs: ours that are
--           there; seen {at, ok, version, queue_remaining, targeted_interrupt,
--           nodes, models, fault}: how many nodes and models; NULL: never seen
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.admin_server_*
-- ----------------------------------------------------------------------
create or replace function sys.comfy_server_cards(
    i_server  text,
    i_after   text,
    i_limit   int)
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
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select s.server, s.state, s.url, s.ws_url, s.auth, s.ca_file,
           to_jsonb(s.labels), s.slots, s.prefetch, s.single_tenant,
           s.updated_at, internal.comfy_is_up(e),
           (select count(*) from attempt t
             where t.provider = 'comfy:' || s.server and t.outcome = 'running'
                   and t.remote_state in ('intended', 'submitted')),
           case when e.server is not null then
                jsonb_build_object(
                    'at', internal.rfc3339(e.at), 'ok', e.ok,
                    'version', e.version, 'queue_remaining', e.queue_remaining,
                    'targeted_interrupt', e.targeted_interrupt,
                    'nodes', (select count(*) from jsonb_object_keys(e.nodes)),
                    'models', (select count(distinct m.name)
                                 from jsonb_path_query(e.models, '$.*[*]')
                                      m (name)),
                    'fault', e.fault) end
      from comfy_server s
      left join comfy_seen e on e.server = s.server
     where (i_server is null or s.server = i_server)
           and (i_after is null or s.server > i_after)
     order by s.server
     limit least(greatest(coalesce(i_limit, 50), 1), 1000);
end
$$;
