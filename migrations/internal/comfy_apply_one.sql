-- ----------------------------------------------------------------------
-- internal.comfy_apply_one(at, card)
--
--      Brings one server, or one workflow, to what a file says of it.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  name; change: added, changed or same; version of a workflow
-- Raises:   U0422 with the path in the file, which begins with at
-- Writes:   podi.comfy_server, podi.comfy_workflow, podi.operator_audit
-- Called:   sys.comfy_apply
--
--      at: servers[n] or workflows[n]
-- ----------------------------------------------------------------------
create or replace function internal.comfy_apply_one(
    i_at    text,
    i_card  jsonb,
    out name     text,
    out change   text,
    out version  int)
language plpgsql
as $$
declare
    v_old    timestamptz;
    v_new    boolean;
    v_why    text;
    v_where  text;
begin
    if jsonb_typeof(i_card) is distinct from 'object' then
        raise exception 'it is no object' using errcode = 'U0422',
              detail = '{"field": ""}';
    end if;

    if i_at like 'servers%' then
        select s.updated_at into v_old from podi.comfy_server s
         where s.server = i_card ->> 'server';
        select p.server, p.is_new into name, v_new
          from sys.comfy_server_put(internal.comfy_server_whole(i_card)) p;
        change := case when v_new then 'added'
                  when exists (select 1 from podi.comfy_server s
                                where s.server = name and s.updated_at = v_old)
                  then 'same' else 'changed' end;
    else
        select p.workflow, p.version, p.is_new into name, version, v_new
          from sys.comfy_workflow_put(i_card - 'publish') p;
        change := case when not v_new then 'same'
                  when version = 1 then 'added' else 'changed' end;
    end if;
exception when sqlstate 'U0422' then
    get stacked diagnostics v_why = message_text, v_where = pg_exception_detail;
    raise exception '%', v_why using errcode = 'U0422', detail =
          jsonb_build_object('field', rtrim(i_at || '.'
                             || coalesce(v_where::jsonb ->> 'field', ''), '.'));
end
$$;
