-- ----------------------------------------------------------------------
-- internal.price_all(plan, lines)
--
--      The price of each job of an order: what its quote promised, else by the
--      rule in force, else that of the action.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job_plan[] with prices
-- Raises:   U0432 the quote was given for other jobs, or other defaults
--           U0422 a job costs more than a job may
-- Writes:   nothing
-- Called:   internal.task_plan
-- ----------------------------------------------------------------------
create or replace function internal.price_all(
    i_plan   podi.job_plan[],
    i_lines  jsonb)
returns podi.job_plan[]
language plpgsql
as $$
declare
    v_plan   podi.job_plan[] := i_plan;
    v_sizes  numeric[];
    v_one    podi.job_plan;
begin
    if i_lines is not null
       and jsonb_array_length(i_lines) <> cardinality(i_plan)
    then
        raise exception 'the action has changed since the quote'
              using errcode = 'U0432', detail = '{"field":"quote"}';
    end if;

    for i in 1 .. cardinality(v_plan) loop
        v_one := v_plan[i];
        if i_lines is not null then
            if i_lines -> (i - 1) ->> 2 <> internal.quote_part(v_one) then
                raise exception 'the action has changed since the quote'
                      using errcode = 'U0432', detail = '{"field":"quote"}';
            end if;
            v_one.price := (i_lines -> (i - 1) -> 0)::bigint;
            v_one.rule := jsonb_populate_record(null::podi.price_rule,
                jsonb_build_object('rule_id', i_lines -> (i - 1) -> 1));
        elsif (v_one.rule).rule_id is null then
            v_one.price := v_one.unit_price;
        else
            if (v_one.rule).terms @> '[{"unit": "megapixel"}]' then
                v_sizes := coalesce(v_sizes, internal.order_sizes(v_plan));
            end if;
            v_one.price := internal.price_of(v_one.rule, v_one.params,
                               cardinality(v_one.inputs), v_sizes[i]);
        end if;
        v_plan[i] := v_one;
    end loop;
    return v_plan;
end
$$;
