-- ----------------------------------------------------------------------
-- internal.order_graph(jobs, asks)
--
--      A small graph of jobs: each has a key, and takes media or the first
--      results of other jobs, or only goes after them.
--
--          {"key": "small", "action": ..., "inputs": [{"media": id}]}
--          {"key": "sheet", "action": ..., "inputs": [{"job": "small"}, ...],
--           "after": ["check"]}
--
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job_plan[] in the order given, without prices
-- Raises:   U0422 naming the member: a key twice, unknown or missing, not as
--           many inputs as the action takes, jobs that wait for each other
-- Writes:   nothing
-- Called:   internal.task_plan
-- ----------------------------------------------------------------------
create or replace function internal.order_graph(
    i_jobs  jsonb,
    i_asks  podi.job_plan[])
returns podi.job_plan[]
language plpgsql
as $$
declare
    v_key   text;
    v_keys  text[] := '{}';
    v_job   jsonb;
    v_plan  podi.job_plan[] := '{}';
begin
    for i in 0 .. jsonb_array_length(i_jobs) - 1 loop
        v_job := i_jobs -> i;
        v_key := v_job ->> 'key';
        if v_key is null or jsonb_typeof(v_job -> 'key') <> 'string'
           or v_key !~ '^[A-Za-z0-9_.-]{1,64}$'
        then
            perform internal.order_refuse(format('jobs[%s].key', i),
                        '1 to 64 letters, digits, dots and dashes are wanted');
        end if;
        if v_key = any (v_keys) then
            perform internal.order_refuse(format('jobs[%s].key', i),
                                          'another job has this key');
        end if;
        v_keys := v_keys || v_key;
    end loop;

    for i in 1 .. cardinality(v_keys) loop
        v_plan := v_plan || internal.order_links(i_asks[i], i_jobs -> (i - 1),
                                                 v_keys, i);
    end loop;

    perform internal.order_sort(v_plan);
    return v_plan;
end
$$;
