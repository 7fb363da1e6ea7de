-- ----------------------------------------------------------------------
-- internal.reconcile_open_task(place, limit)
--
--      R7: of the next open tasks, those whose jobs have all ended.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  as sys.reconcile; kind task, detail {state, jobs_open}; the place
--           is that of the last task seen, `user|tenant|task`
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.reconcile
--
--      The index is walked in its order, also by a planner that has no
--      statistics yet.
-- ----------------------------------------------------------------------
create or replace function internal.reconcile_open_task(
    i_place  text,
    i_limit  int)
returns table (kind text, id text, detail jsonb)
language plpgsql stable
set enable_bitmapscan = off
set enable_sort = off
as $$
declare
    c_nil     constant uuid := '00000000-0000-0000-0000-000000000000';
    v_user    uuid := coalesce(split_part(i_place, '|', 1)::uuid, c_nil);
    v_tenant  uuid := coalesce(split_part(i_place, '|', 2)::uuid, c_nil);
    v_task    uuid := coalesce(split_part(i_place, '|', 3)::uuid, c_nil);
begin
    return query
    with seen as materialized (
        select t.*, row_number() over (order by t.user_id, t.tenant_id,
                                                t.task_id) as n
          from podi.task_header t
         where t.ended_at is null
               and (t.user_id, t.tenant_id, t.task_id)
                   > (v_user, v_tenant, v_task)
         order by t.user_id, t.tenant_id, t.task_id
         limit i_limit)
    select 'place', max(s.user_id || '|' || s.tenant_id || '|' || s.task_id)
                    filter (where s.n = i_limit),
           jsonb_build_object('more', count(*) = i_limit)
      from seen s
    union all
    select 'task', s.task_id::text,
           jsonb_build_object('state', s.state, 'jobs_open', s.jobs_open)
      from seen s
     where not exists (
               select 1 from podi.job j
                where j.task_id = s.task_id and j.tenant_id = s.tenant_id
                  and j.settled_fence is null);
end
$$;
