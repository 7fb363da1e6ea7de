-- ----------------------------------------------------------------------
-- internal.task_plan(order, channel)
--
--      Reads what was asked, in either form, down to the jobs it comes to and
--      what each costs.  Nothing is written.
--
--          asks -> matrix or graph -> inputs -> prices
--
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job_plan[], a job each
-- Raises:   U0422, U0430, U0440, U0441 with the field in the detail
-- Writes:   nothing
-- Called:   api.task_quote, internal.task_make
-- ----------------------------------------------------------------------
create or replace function internal.task_plan(i_order jsonb, i_channel text)
returns podi.job_plan[]
language plpgsql
as $$
declare
    v_plan    podi.job_plan[];
    v_sizes   numeric[];
    v_one     podi.job_plan;
begin
    if i_order ? 'jobs' then
        v_plan := internal.order_graph(i_order -> 'jobs',
                      internal.order_asks(i_order -> 'jobs', 'jobs', i_channel));
    else
        v_plan := internal.order_matrix(i_order -> 'inputs',
                      internal.order_asks(i_order -> 'actions', 'actions',
                                          i_channel));
    end if;

    perform internal.inputs_check(v_plan, i_order -> 'inputs');

    for i in 1 .. cardinality(v_plan) loop
        v_one := v_plan[i];
        if (v_one.rule).rule_id is null then
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
