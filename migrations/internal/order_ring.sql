-- ----------------------------------------------------------------------
-- internal.order_ring(plan, left)
--
--      Of jobs none of which can go first: the first in a ring, not one that
--      only waits for a ring.  Whoever goes from need to need meets a job twice.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  int, the least ordinal of the ring
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.order_sort
-- ----------------------------------------------------------------------
create or replace function internal.order_ring(
    i_plan  podi.job_plan[],
    i_left  int[])
returns int
language plpgsql
as $$
declare
    v_at    int := i_left[1];
    v_path  int[] := '{}';
begin
    while v_at <> all (v_path) loop
        v_path := v_path || v_at;
        v_at := (select u.n from unnest(i_plan[v_at].needs) u (n)
                  where u.n = any (i_left) limit 1);
    end loop;
    return (select min(u.n)
              from unnest(v_path[array_position(v_path, v_at):]) u (n));
end
$$;
