-- ----------------------------------------------------------------------
-- internal.reconcile_open_hold(place, limit)
--
--      R5: of the next holds with something left, those of tasks whose jobs
--      have all ended.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  as sys.reconcile; kind hold, detail {task_id, left}; the place is
--           that of the last hold seen, `expires_at|hold_id`
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.reconcile
--
--      The index is walked in its order, also by a planner that has no
--      statistics yet.
-- ----------------------------------------------------------------------
create or replace function internal.reconcile_open_hold(
    i_place  text,
    i_limit  int)
returns table (kind text, id text, detail jsonb)
language plpgsql stable
set enable_bitmapscan = off
set enable_sort = off
as $$
declare
    v_at  timestamptz := coalesce(split_part(i_place, '|', 1), '-infinity');
    v_id  bigint := coalesce(split_part(i_place, '|', 2), '0');
begin
    return query
    with seen as materialized (
        select h.*, row_number() over (order by h.expires_at, h.hold_id) as n
          from podi.hold h
         where h.live and h.expires_at >= v_at
               and (h.expires_at, h.hold_id) > (v_at, v_id)
         order by h.expires_at, h.hold_id
         limit i_limit)
    select 'place', max(s.expires_at || '|' || s.hold_id)
                    filter (where s.n = i_limit),
           jsonb_build_object('more', count(*) = i_limit)
      from seen s
    union all
    select 'hold', s.hold_id::text,
           jsonb_build_object('task_id', s.task_id,
                              'left', s.amount - s.captured - s.released)
      from seen s
     where s.task_id is not null
           and not exists (
               select 1 from podi.job j
                where j.task_id = s.task_id and j.tenant_id = s.tenant_id
                  and coalesce(j.hold_id, s.hold_id) = s.hold_id
                  and j.settled_fence is null);
end
$$;
