-- ----------------------------------------------------------------------
-- internal.inputs_check(plan, inputs)
--
--      Makes sure that each media that a job takes is the entered user's own,
--      ready, and of a type that its action accepts.  Somebody else's media is
--      answered like one that does not exist.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0422 not there, or never usable
--           U0440 not ready yet
--           U0441 of a type that the action does not accept
--           each with the field in the detail: inputs[i] of the order, or
--           jobs[i].inputs[k].media of a graph
-- Writes:   nothing
-- Called:   internal.task_plan
-- ----------------------------------------------------------------------
create or replace function internal.inputs_check(
    i_plan    podi.job_plan[],
    i_inputs  jsonb)
returns void
language plpgsql
as $$
declare
    v_bad  record;
begin
    select p.key, p.field, i.media_id, i.n - 1 as n, m.state, m.type into v_bad
      from unnest(i_plan) with ordinality p
     cross join lateral unnest(p.inputs) with ordinality i (media_id, n)
      left join podi.media m
        on m.media_id = i.media_id and m.tenant_id = internal.tenant()
           and m.user_id = internal.user_id()
     where i.media_id is not null
           and (m.state is distinct from 'ready' or not p.accepts ? m.type)
     order by p.ordinality, i.n
     limit 1;
    if not found then
        return;
    end if;

    raise exception '%', case
              when v_bad.state is null then 'no such media'
              when v_bad.state = 'ready'
                   then format('media of type %s is not accepted', v_bad.type)
              else format('the media is %s', v_bad.state) end
          using errcode = case
                    when v_bad.state = 'ready'                   then 'U0441'
                    when v_bad.state in ('pending', 'checking')  then 'U0440'
                    else 'U0422' end,
                detail = json_build_object('field', case
                    when v_bad.key is not null
                    then format('%s.inputs[%s].media', v_bad.field, v_bad.n)
                    else format('inputs[%s]',
                                (select min(e.ordinality) - 1
                                   from jsonb_array_elements_text(i_inputs)
                                        with ordinality e
                                  where e.value::uuid = v_bad.media_id)) end);
end
$$;
