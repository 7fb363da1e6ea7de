-- ----------------------------------------------------------------------
-- internal.param_fault(spec, value)
--
--      What is wrong with one parameter; spec NULL: the action has no such
--      parameter, value NULL: it was not given.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  text, NULL when nothing is wrong
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.params_check
-- ----------------------------------------------------------------------
create or replace function internal.param_fault(i_spec jsonb, i_value jsonb)
returns text
language plpgsql immutable
as $$
declare
    v_type    text := i_spec ->> 'type';
    v_number  numeric;
begin
    if i_spec is null then
        return 'no such parameter';
    end if;

    if i_value is null then
        return case when i_spec -> 'required' = 'true'::jsonb
                    then 'is required' end;
    end if;

    if jsonb_typeof(i_value)
       <> (case v_type when 'integer' then 'number' else v_type end)
    then
        return format('must be a %s', v_type);
    end if;

    if v_type in ('integer', 'number') then
        v_number := i_value::numeric;
        if v_type = 'integer' and v_number <> trunc(v_number) then
            return 'must be an integer';
        end if;
        if v_number < (i_spec ->> 'minimum')::numeric
           or v_number > (i_spec ->> 'maximum')::numeric
        then
            return format('must be from %s to %s', i_spec ->> 'minimum',
                          i_spec ->> 'maximum');
        end if;
    end if;

    if i_spec ? 'enum' and not (i_spec -> 'enum') @> i_value then
        return 'must be one of ' || (i_spec ->> 'enum');
    end if;

    return null;
end
$$;
