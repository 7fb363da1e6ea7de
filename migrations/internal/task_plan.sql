-- ----------------------------------------------------------------------
-- internal.task_plan(order, channel, lines)
--
--      Reads what was asked, in either form, down to the jobs it comes to and
--      what each costs: lines of a quote, else by the rules.  Nothing is written.
--
--          asks -> matrix or graph -> inputs -> prices
--
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job_plan[], a job each
-- Raises:   U0422, U0430, U0432, U0440, U0441 with the field in the detail
-- Writes:   nothing
-- Called:   api.task_quote, internal.task_make
-- ----------------------------------------------------------------------
create or replace function internal.task_plan(
    i_order    jsonb,
    i_channel  text,
    i_lines    jsonb)
returns podi.job_plan[]
language plpgsql
as $$
declare
    v_plan  podi.job_plan[];
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

    return internal.price_all(v_plan, i_lines);
end
$$;
