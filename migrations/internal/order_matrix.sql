-- ----------------------------------------------------------------------
-- internal.order_matrix(inputs, asks)
--
--      inputs x actions: each action is done to each input, in the order of
--      the inputs, within one in that of the actions.  An action that wants
--      several inputs is given all of them, in one job.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job_plan[], without prices
-- Raises:   U0422 naming inputs or one of them
-- Writes:   nothing
-- Called:   internal.task_plan
-- ----------------------------------------------------------------------
create or replace function internal.order_matrix(
    i_inputs  jsonb,
    i_asks    podi.job_plan[])
returns podi.job_plan[]
language plpgsql
as $$
declare
    v_n     int;
    v_all   uuid[] := '{}';
    v_one   podi.job_plan;
    v_plan  podi.job_plan[] := '{}';
begin
    if coalesce(jsonb_typeof(i_inputs), '') = 'array' then
        v_n := jsonb_array_length(i_inputs);
    end if;
    if v_n is null or v_n < 1 or v_n * cardinality(i_asks) > 64 then
        perform internal.order_refuse('inputs', case when i_inputs is null
                    then 'the field is required'
                    else '1 to 64 jobs (inputs times actions) are wanted' end);
    end if;

    for i in 0 .. v_n - 1 loop
        v_all := v_all || internal.order_media(i_inputs -> i,
                                               'inputs[' || i || ']');
    end loop;

    for i in 1 .. v_n loop
        foreach v_one in array i_asks loop
            if v_one.fewest > 1 then
                continue when i > 1;
                if v_n not between v_one.fewest and v_one.most then
                    perform internal.order_refuse('inputs',
                        format('%s wants %s to %s inputs', v_one.action,
                               v_one.fewest, v_one.most));
                end if;
                v_one.inputs := v_all;
            else
                v_one.inputs := v_all[i:i];
            end if;
            v_plan := v_plan || v_one;
        end loop;
    end loop;
    return v_plan;
end
$$;
