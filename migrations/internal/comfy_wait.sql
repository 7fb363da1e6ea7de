-- ----------------------------------------------------------------------
-- internal.comfy_wait(executor)
--
--      What a job for ComfyUI waits for, by what was last seen of the servers.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  no_server: none has what the workflow needs; servers_down: none of
--           those that have answers; servers_full: they have enough to do;
--           NULL: nothing of that
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.job_remote
-- ----------------------------------------------------------------------
create or replace function internal.comfy_wait(i_executor jsonb)
returns text
language sql stable
as $$
    with could as (
        select internal.comfy_is_up(e) as is_up,
               s.slots + s.prefetch <= (
                   select count(*) from podi.attempt t
                    where t.provider = 'comfy:' || s.server
                          and t.outcome = 'running'
                          and t.remote_state in ('intended', 'submitted'))
                   as is_full
          from podi.comfy_workflow w
         cross join podi.comfy_server s
          join podi.comfy_seen e on e.server = s.server
         where w.workflow = i_executor ->> 'workflow' and w.state = 'live'
               and s.state = 'active' and e.nodes is not null
               and to_jsonb(s.labels) @> coalesce(i_executor -> 'labels', '[]')
               and not exists (
                   select 1 from internal.comfy_lacks(w.graph, w.mapping,
                                                      e.nodes, e.models))
    )
    select case when count(*) = 0                        then 'no_server'
                when not bool_or(c.is_up)                then 'servers_down'
                when bool_and(c.is_full or not c.is_up)  then 'servers_full' end
      from could c
$$;
