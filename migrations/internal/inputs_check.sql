-- ----------------------------------------------------------------------
-- internal.inputs_check(inputs, actions, accepts)
--
--      Makes sure that each input is the entered user's own, ready, and of a
--      type that all the actions accept, and that they make 1 to 64 jobs.
--      Somebody else's media is answered like one that does not exist.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0422 not there, never usable, or too many of them
--           U0440 not ready yet
--           U0441 of a type that an action does not accept
--           each with the field inputs[i] in the detail
-- Writes:   nothing
-- Called:   api.task_quote, internal.task_make
--
--      accepts: of each action its array of types; NULL elements never occur.
-- ----------------------------------------------------------------------
create or replace function internal.inputs_check(
    i_inputs   uuid[],
    i_accepts  jsonb[])
returns void
language plpgsql
as $$
declare
    v_bad  record;
begin
    if coalesce(cardinality(i_inputs), 0) < 1
       or cardinality(i_inputs) * cardinality(i_accepts) > 64
    then
        raise exception '1 to 64 jobs (inputs times actions) are wanted'
              using errcode = 'U0422', detail = '{"field":"inputs"}';
    end if;

    select i.n - 1 as n, m.state, m.type into v_bad
      from unnest(i_inputs) with ordinality i (media_id, n)
      left join podi.media m
        on m.media_id = i.media_id and m.tenant_id = internal.tenant()
           and m.user_id = internal.user_id()
     where m.state is distinct from 'ready'
           or exists (select 1 from unnest(i_accepts) a (types)
                       where not a.types ? m.type)
     order by i.n
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
                detail = json_build_object('field',
                                           format('inputs[%s]', v_bad.n));
end
$$;
