-- ----------------------------------------------------------------------
-- sys.comfy_seen_put(seen)
--
--      Notes what was seen of a ComfyUI server: the members given.
--
-- Returns:  whether there is such a server
-- Raises:   23514 cards that are no objects
-- Writes:   podi.comfy_seen
-- Called:   what runs jobs on ComfyUI servers
--
--      {server, ok, version, queue_remaining, targeted_interrupt, nodes, models,
--      fault}; see podi.comfy_seen.  A sight is no fact, so its commit does not
--      wait for the disk.
-- ----------------------------------------------------------------------
create or replace function sys.comfy_seen_put(i_seen jsonb)
returns boolean
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_server  text := i_seen ->> 'server';
    v_new     comfy_seen;
begin
    perform set_config('synchronous_commit', 'off', true);
    perform 1 from comfy_server s where s.server = v_server for key share;
    if not found then
        return false;
    end if;

    v_new := jsonb_populate_record(null::comfy_seen,
        jsonb '{"ok": false}'
        || coalesce((select jsonb_build_object('ok', e.ok,
                                'version', e.version, 'fault', e.fault,
                                'queue_remaining', e.queue_remaining,
                                'targeted_interrupt', e.targeted_interrupt)
                       from comfy_seen e where e.server = v_server), '{}')
        || i_seen || jsonb_build_object('at', clock_timestamp()));

    insert into comfy_seen as e select v_new.*
        on conflict on constraint comfy_seen_pkey do update
       set at = excluded.at, ok = excluded.ok, version = excluded.version,
           queue_remaining = excluded.queue_remaining,
           targeted_interrupt = excluded.targeted_interrupt,
           nodes = case when i_seen ? 'nodes' then excluded.nodes
                   else e.nodes end,
           models = case when i_seen ? 'models' then excluded.models
                    else e.models end,
           fault = excluded.fault;
    return true;
end
$$;
