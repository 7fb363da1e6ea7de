-- ----------------------------------------------------------------------
-- sys.comfy_workflow_publish(workflow, version)
--
--      Makes a version of a workflow the live one, when a server that is active
--      has all that it needs, by what was last seen of it.  The version that
--      was live is retired, and can be published again.
--
-- Returns:  workflow, version, server: one that can run it, retired: the version
--           that was live
-- Raises:   U0404 there is no such version; U0422 no server can run it: the
--           path names the node and the input that the nearest lacks
-- Writes:   podi.comfy_workflow, podi.operator_audit
-- Called:   podictl comfy workflow publish; internal.comfy_apply_publish,
--           api.admin_workflow_publish
--
--      version NULL: the newest
-- ----------------------------------------------------------------------
create or replace function sys.comfy_workflow_publish(
    i_workflow  text,
    i_version   int,
    out workflow  text,
    out version   int,
    out server    text,
    out retired   int)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_new  comfy_workflow;
    v_at   record;
begin
    perform pg_advisory_xact_lock(hashtextextended(i_workflow, 24));
    select w.* into v_new
      from comfy_workflow w
     where w.workflow = i_workflow
           and w.version = coalesce(i_version, w.version)
     order by w.version desc limit 1;
    if not found then
        raise exception 'there is no such version' using errcode = 'U0404';
    end if;

    select s.server, l.n, l.path, l.why into v_at
      from comfy_server s
      join comfy_seen e on e.server = s.server
     cross join lateral (
           select count(*) as n, (array_agg(x.path order by x.path))[1] as path,
                  (array_agg(x.why order by x.path))[1] as why
             from internal.comfy_lacks(v_new.graph, v_new.mapping, e.nodes,
                                       e.models) x) l
     where s.state = 'active' and e.nodes is not null
     order by l.n, s.server limit 1;
    if v_at.n is null then
        raise exception 'no active server has said what it has'
              using errcode = 'U0422', detail = '{"field": "server"}';
    elsif v_at.n > 0 then
        raise exception 'server %: %', v_at.server, v_at.why
              using errcode = 'U0422',
                    detail = json_build_object('field', v_at.path);
    end if;

    update comfy_workflow w set state = 'retired'
     where w.workflow = i_workflow and w.state = 'live'
           and w.version <> v_new.version
    returning w.version into retired;
    update comfy_workflow w set state = 'live', published_at = now()
     where w.workflow = i_workflow and w.version = v_new.version
           and w.state <> 'live';
    if found then
        perform internal.operator_audit('comfy_workflow.publish',
                    jsonb_build_object('workflow', i_workflow,
                        'version', v_new.version, 'retired', retired));
    end if;
    workflow := i_workflow;
    version := v_new.version;
    server := v_at.server;
end
$$;
