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
--
--      The best server first, so that the first which has what is needed is
--      the answer: to look into what one can costs a millisecond.
-- ----------------------------------------------------------------------
create or replace function internal.comfy_wait(i_executor jsonb)
returns text
language plpgsql stable
as $$
declare
    v_needs  jsonb;
    v_wait   text;
begin
    select w.needs into v_needs
      from podi.comfy_workflow w
     where w.workflow = i_executor ->> 'workflow' and w.state = 'live';
    if not found then
        return 'no_server';
    end if;

    select c.wait into v_wait
      from (select e.nodes, e.models,
                   case when not internal.comfy_is_up(e) then 'servers_down'
                        when s.slots + s.prefetch <= (
                             select count(*) from podi.attempt t
                              where t.provider = 'comfy:' || s.server
                                    and t.outcome = 'running'
                                    and t.remote_state in ('intended',
                                                           'submitted'))
                        then 'servers_full' end as wait
              from podi.comfy_server s
              join podi.comfy_seen e on e.server = s.server
             where s.state = 'active' and e.nodes is not null
                   and to_jsonb(s.labels)
                       @> coalesce(i_executor -> 'labels', '[]')
             order by wait desc nulls first offset 0) c
     where c.nodes ?& array(select jsonb_array_elements_text(v_needs -> 'nodes'))
           and (c.models is null or not exists (
                select 1 from jsonb_array_elements_text(v_needs -> 'models') m (name)
                 where not exists (select 1 from jsonb_each(c.models) f
                                    where f.value ? m.name)))
     limit 1;
    return case when found then v_wait else 'no_server' end;
end
$$;
