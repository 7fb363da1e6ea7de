-- ----------------------------------------------------------------------
-- internal.order_after(plan, after, keys, n)
--
--      What the n-th job of a graph only goes after, besides what it takes from.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job_plan, with more needs
-- Raises:   U0422 naming the member that is wrong
-- Writes:   nothing
-- Called:   internal.order_links
-- ----------------------------------------------------------------------
create or replace function internal.order_after(
    i_plan   podi.job_plan,
    i_after  jsonb,
    i_keys   text[],
    i_n      int)
returns podi.job_plan
language plpgsql
as $$
declare
    v_plan  podi.job_plan := i_plan;
    v_need  int;
begin
    if jsonb_typeof(i_after) <> 'array' or jsonb_array_length(i_after) > 64 then
        perform internal.order_refuse(i_plan.field || '.after',
                                      'an array of keys is wanted');
    end if;

    for i in 0 .. jsonb_array_length(i_after) - 1 loop
        v_need := array_position(i_keys, i_after ->> i);
        if v_need is null or v_need = i_n then
            perform internal.order_refuse(
                format('%s.after[%s]', i_plan.field, i), case
                when v_need is null then 'no job has this key'
                else 'a job cannot wait for itself' end);
        end if;
        continue when v_need = any (v_plan.needs);
        v_plan.needs := v_plan.needs || v_need;
        v_plan.places := v_plan.places || null::int;
    end loop;
    return v_plan;
end
$$;
