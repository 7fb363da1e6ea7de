-- ----------------------------------------------------------------------
-- internal.segments_fault(segments)
--
--      The first thing that is wrong with the segments of an action: they are
--      what its jobs are paid by, part by part.  Invoker rights.
--
-- Returns:  text, like segments[0].percent; NULL when nothing is
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.action_put
--
--      [{name, percent}]: up to 100, each name once, percents whole, above 0,
--      adding up to 100; or none
-- ----------------------------------------------------------------------
create or replace function internal.segments_fault(i_segments jsonb)
returns text
language plpgsql immutable
as $$
declare
    v_one    jsonb;
    v_names  text[] := '{}';
    v_sum    numeric := 0;
    v_bad    text;
begin
    if jsonb_typeof(i_segments) <> 'array'
       or jsonb_array_length(i_segments) > 100
    then
        return 'segments';
    end if;

    for i in 0 .. coalesce(jsonb_array_length(i_segments), 0) - 1 loop
        v_one := i_segments -> i;
        if jsonb_typeof(v_one) <> 'object'
           or v_one - array['name', 'percent'] <> '{}'
        then
            return format('segments[%s]', i);
        end if;

        v_bad := case
            when coalesce(jsonb_typeof(v_one -> 'name'), '') <> 'string'
                 or v_one ->> 'name' !~ '^[A-Za-z0-9_.-]{1,64}$'
                 or v_one ->> 'name' = any (v_names)
            then 'name'
            when coalesce(jsonb_typeof(v_one -> 'percent'), '') <> 'number'
                 or (v_one -> 'percent')::numeric not between 1 and 100
                 or (v_one -> 'percent')::numeric % 1 <> 0
            then 'percent'
            end;
        if v_bad is not null then
            return format('segments[%s].%s', i, v_bad);
        end if;
        v_names := v_names || (v_one ->> 'name');
        v_sum := v_sum + (v_one -> 'percent')::numeric;
    end loop;

    return case when v_names <> '{}' and v_sum <> 100 then 'segments' end;
end
$$;
