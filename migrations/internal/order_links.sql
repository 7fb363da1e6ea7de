-- ----------------------------------------------------------------------
-- internal.order_links(plan, job, keys, n)
--
--      The inputs of the n-th job of a graph, and what it waits for.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job_plan with key, inputs (NULL where another job's first
--           result will stand), needs and places
-- Raises:   U0422 naming the member that is wrong
-- Writes:   nothing
-- Called:   internal.order_graph
-- ----------------------------------------------------------------------
create or replace function internal.order_links(
    i_plan  podi.job_plan,
    i_job   jsonb,
    i_keys  text[],
    i_n     int)
returns podi.job_plan
language plpgsql
as $$
declare
    v_plan  podi.job_plan := i_plan;
    v_in    jsonb := coalesce(i_job -> 'inputs', '[]');
    v_at    text;
    v_need  int;
begin
    if jsonb_typeof(v_in) <> 'array'
       or jsonb_array_length(v_in) not between i_plan.fewest and i_plan.most
    then
        perform internal.order_refuse(i_plan.field || '.inputs',
            format('%s wants %s to %s inputs', i_plan.action, i_plan.fewest,
                   i_plan.most));
    end if;

    v_plan.key := i_keys[i_n];
    v_plan.inputs := '{}';
    v_plan.needs := '{}';
    v_plan.places := '{}';

    for i in 0 .. jsonb_array_length(v_in) - 1 loop
        v_at := format('%s.inputs[%s]', i_plan.field, i);
        if jsonb_typeof(v_in -> i) <> 'object'
           or ((v_in -> i) ? 'media') = ((v_in -> i) ? 'job')
           or (v_in -> i) - array['media', 'job'] <> '{}'
        then
            perform internal.order_refuse(v_at, 'either a media or a job');
        end if;

        if (v_in -> i) ? 'media' then
            v_plan.inputs := v_plan.inputs || internal.order_media(
                                 v_in -> i -> 'media', v_at || '.media');
            continue;
        end if;

        v_need := array_position(i_keys, v_in -> i ->> 'job');
        if v_need is null or v_need = i_n or v_need = any (v_plan.needs) then
            perform internal.order_refuse(v_at || '.job', case
                when v_need is null then 'no job has this key'
                when v_need = i_n   then 'a job cannot wait for itself'
                else 'the result is an input already' end);
        end if;
        v_plan.inputs := v_plan.inputs || null::uuid;
        v_plan.needs := v_plan.needs || v_need;
        v_plan.places := v_plan.places || i + 1;
    end loop;
    return internal.order_after(v_plan, coalesce(i_job -> 'after', '[]'),
                                i_keys, i_n);
end
$$;
