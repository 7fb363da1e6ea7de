-- ----------------------------------------------------------------------
-- internal.comfy_apply_publish(workflow, version)
--
--      Publishes a version that a file wants live, if it is not.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  change: published; refused, with why in the detail: no server that
--           is up can run it, or none was seen yet; NULL: it is live
-- Raises:   nothing
-- Writes:   podi.comfy_workflow, podi.operator_audit
-- Called:   sys.comfy_apply
-- ----------------------------------------------------------------------
create or replace function internal.comfy_apply_publish(
    i_workflow  text,
    i_version   int,
    out change  text,
    out detail  jsonb)
language plpgsql
as $$
declare
    v_why    text;
    v_where  text;
begin
    if exists (select 1 from podi.comfy_workflow w
                where w.workflow = i_workflow and w.version = i_version
                      and w.state = 'live')
    then
        return;
    end if;

    select 'published', jsonb_build_object('version', i_version, 'server',
                                           p.server, 'retired', p.retired)
      into change, detail
      from sys.comfy_workflow_publish(i_workflow, i_version) p;
exception when sqlstate 'U0422' then
    get stacked diagnostics v_why = message_text, v_where = pg_exception_detail;
    change := 'refused';
    detail := v_where::jsonb
              || jsonb_build_object('version', i_version, 'why', v_why);
end
$$;
