-- ----------------------------------------------------------------------
-- internal.order_sizes(plan)
--
--      How many pixels each job of an order is given.  What another job will
--      make is not known yet: it counts as much as the largest thing that job
--      is given.  Media without a size count nothing.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  numeric[], by ordinal
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.price_all
-- ----------------------------------------------------------------------
create or replace function internal.order_sizes(i_plan podi.job_plan[])
returns numeric[]
language plpgsql
as $$
declare
    v_all    numeric[] := array_fill(0::numeric, array[cardinality(i_plan)]);
    v_most   numeric[] := v_all;
    v_n      int;
    v_one    podi.job_plan;
    v_given  numeric[];
begin
    foreach v_n in array internal.order_sort(i_plan) loop
        v_one := i_plan[v_n];
        v_given := array(
            select coalesce(m.width::numeric * m.height, 0)
              from unnest(v_one.inputs) u (media_id)
              join podi.media m
                on m.media_id = u.media_id and m.tenant_id = internal.tenant()
            union all
            select v_most[n.need]
              from unnest(v_one.needs, v_one.places) n (need, place)
             where n.place is not null);
        v_all[v_n] := coalesce((select sum(g) from unnest(v_given) g), 0);
        v_most[v_n] := coalesce((select max(g) from unnest(v_given) g), 0);
    end loop;
    return v_all;
end
$$;
