-- ----------------------------------------------------------------------
-- internal.executor_check(action)
--
--      Whether what an action is carried out by is there: its workflow, live
--      when the action can be asked for, and a server with all its labels,
--      whatever the state of that is; and that it is no mock outside a sandbox.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0422 with the field in the detail
-- Writes:   nothing
-- Called:   sys.action_put
-- ----------------------------------------------------------------------
create or replace function internal.executor_check(i_action podi.action)
returns void
language plpgsql stable
as $$
declare
    v_kind  text := i_action.executor ->> 'kind';
    v_bad   text := internal.executor_fault(i_action.executor);
    v_why   text;
begin
    if v_bad is not null then
        v_why := 'an action has no such ' || v_bad;

    elsif v_kind = 'comfy' and not exists (
          select 1 from podi.comfy_workflow w
           where w.workflow = i_action.executor ->> 'workflow'
                 and (w.state = 'live'
                      or w.state = 'draft' and i_action.state <> 'active'))
    then
        v_bad := 'executor.workflow';
        v_why := 'there is no such workflow, or none that is live';

    elsif v_kind = 'comfy' and i_action.executor ? 'labels'
          and i_action.state = 'active' and not exists (
          select 1 from podi.comfy_server s
           where to_jsonb(s.labels) @> (i_action.executor -> 'labels'))
    then
        v_bad := 'executor.labels';
        v_why := 'no server has all these labels';

    elsif v_kind = 'comfy' and exists (
          select 1 from jsonb_array_elements(i_action.executor -> 'fallback') f
           where f ? 'workflow' and not exists (
                 select 1 from podi.comfy_workflow w
                  where w.workflow = f ->> 'workflow'
                        and (w.state = 'live'
                             or w.state = 'draft' and i_action.state <> 'active')))
    then
        v_bad := 'executor.fallback';
        v_why := 'there is no such workflow, or none that is live';

    elsif v_kind = 'mock' and not exists (
          select 1 from podi.setting s
           where s.setting = 'sandbox' and s.value = 'true')
    then
        v_bad := 'executor.kind';
        v_why := 'mocks are for a sandbox';
    end if;

    if v_bad is not null then
        raise exception '%', v_why
              using errcode = 'U0422',
                    detail = json_build_object('field', v_bad);
    end if;
end
$$;
