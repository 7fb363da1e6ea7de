-- ----------------------------------------------------------------------
-- sys.comfy_server_list()
--
--      The ComfyUI servers that there are, what was last seen of each, and how
--      much of ours is there.
--
-- Returns:  server, state, url, labels, slots, prefetch, jobs, ok, version,
--           queue_remaining, seen_at, fault
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podictl comfy server list
-- ----------------------------------------------------------------------
drop function if exists sys.comfy_server_list();
create or replace function sys.comfy_server_list()
returns table (
    server           text,
    state            text,
    url              text,
    labels           jsonb,
    slots            int,
    prefetch         int,
    jobs             bigint,
    ok               boolean,
    version          text,
    queue_remaining  int,
    seen_at          timestamptz,
    fault            text)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select s.server, s.state, s.url, to_jsonb(s.labels), s.slots, s.prefetch,
           (select count(*) from attempt t
             where t.provider = 'comfy:' || s.server and t.outcome = 'running'
                   and t.remote_state in ('intended', 'submitted')),
           e.ok, e.version, e.queue_remaining, e.at, e.fault
      from comfy_server s
      left join comfy_seen e on e.server = s.server
     order by s.server;
end
$$;
