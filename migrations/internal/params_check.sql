-- ----------------------------------------------------------------------
-- internal.params_check(spec, any_of, params, field)
--
--      Holds the parameters of a request against an action's specification.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, the parameters with the defaults filled in; integers are
--           written as integers (800.0 becomes 800)
-- Raises:   U0422 naming the first parameter that is wrong, as field || name
-- Writes:   nothing
-- Called:   internal.task_plan
-- ----------------------------------------------------------------------
create or replace function internal.params_check(
    i_spec    jsonb,
    i_any_of  text[],
    i_params  jsonb,
    i_field   text)
returns jsonb
language plpgsql
as $$
declare
    v_bad   record;
    v_full  jsonb;
begin
    select coalesce(p.key, s.key) as name,
           internal.param_fault(s.value, p.value) as why
      into v_bad
      from jsonb_each(i_params) p
      full join jsonb_each(i_spec) s on s.key = p.key
     where internal.param_fault(s.value, p.value) is not null
     order by 1
     limit 1;
    if found then
        raise exception '%', v_bad.why
              using errcode = 'U0422',
                    detail = json_build_object('field', i_field || v_bad.name);
    end if;

    if i_any_of <> '{}' and not i_params ?| i_any_of then
        raise exception 'at least one of % is wanted',
              array_to_string(i_any_of, ', ')
              using errcode = 'U0422',
                    detail = json_build_object('field', i_field || i_any_of[1]);
    end if;

    select jsonb_object_agg(s.key, case s.value ->> 'type' when 'integer'
               then to_jsonb(trunc(coalesce(i_params -> s.key,
                                            s.value -> 'default')::numeric))
               else coalesce(i_params -> s.key, s.value -> 'default') end)
      into v_full
      from jsonb_each(i_spec) s
     where i_params ? s.key or s.value ? 'default';

    return coalesce(v_full, '{}');
end
$$;
