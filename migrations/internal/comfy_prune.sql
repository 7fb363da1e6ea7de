-- ----------------------------------------------------------------------
-- internal.comfy_prune(servers, workflows)
--
--      Takes away what is not among those names (NULL: nothing): servers, or
--      drains them while jobs are there, or what jobs have left; and the live
--      versions of workflows that no action is carried out by.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  kind, name, change (removed, draining, retired, kept), detail
-- Raises:   nothing
-- Writes:   podi.comfy_server, podi.comfy_workflow, podi.operator_audit
-- Called:   sys.comfy_apply
-- ----------------------------------------------------------------------
create or replace function internal.comfy_prune(
    i_servers    text[],
    i_workflows  text[])
returns table (kind text, name text, change text, detail jsonb)
language plpgsql
as $$
begin
    kind := 'server';
    for name in select s.server from podi.comfy_server s
                 where s.server <> all (i_servers) order by s.server
    loop
        begin
            perform sys.comfy_server_put(jsonb_build_object(
                        'server', name, 'state', 'disabled'));
            perform sys.comfy_server_remove(name);
            change := 'removed';
            detail := '{}';
        exception when sqlstate 'U0409' then
            perform sys.comfy_server_put(jsonb_build_object(
                        'server', name, 'state', 'draining'));
            change := 'draining';
            detail := '{"why": "jobs are there, or what they left: apply it again"}';
        end;
        return next;
    end loop;

    kind := 'workflow';
    for name, detail in
        select w.workflow, jsonb_build_object('version', w.version, 'actions',
               (select coalesce(jsonb_agg(a.action order by a.action), '[]')
                  from podi.action a
                 where a.executor ->> 'kind' = 'comfy'
                       and (a.executor ->> 'workflow' = w.workflow
                            or a.executor -> 'fallback' @> jsonb_build_array(
                                   jsonb_build_object('workflow', w.workflow)))))
          from podi.comfy_workflow w
         where w.state = 'live' and w.workflow <> all (i_workflows)
         order by w.workflow
    loop
        change := 'kept';
        if detail -> 'actions' = '[]' then
            change := 'retired';
            update podi.comfy_workflow w set state = 'retired'
             where w.workflow = name and w.state = 'live';
            perform internal.operator_audit('comfy_workflow.retire',
                        jsonb_build_object('workflow', name));
        end if;
        return next;
    end loop;
end
$$;
