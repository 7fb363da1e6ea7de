-- ----------------------------------------------------------------------
-- internal.order_sort(plan)
--
--      The jobs of a graph in an order in which each comes after those that it
--      waits for.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  int[], ordinals
-- Raises:   U0422 naming the first job that waits, by others, for itself
-- Writes:   nothing
-- Called:   internal.order_graph, internal.order_sizes
-- ----------------------------------------------------------------------
create or replace function internal.order_sort(i_plan podi.job_plan[])
returns int[]
language plpgsql
as $$
declare
    v_left  int[] := array(select generate_series(1, cardinality(i_plan)));
    v_done  int[] := '{}';
    v_next  int[];
    v_n     int;
begin
    while v_left <> '{}' loop
        v_next := '{}';
        foreach v_n in array v_left loop
            if coalesce(i_plan[v_n].needs, '{}') <@ v_done then
                v_next := v_next || v_n;
            end if;
        end loop;

        if v_next = '{}' then
            perform internal.order_refuse(
                i_plan[internal.order_ring(i_plan, v_left)].field,
                'the jobs wait for each other');
        end if;
        v_done := v_done || v_next;
        v_left := array(select u.n from unnest(v_left) u (n)
                         where u.n <> all (v_next) order by u.n);
    end loop;
    return v_done;
end
$$;
