-- ----------------------------------------------------------------------
-- internal.invariant_hold()
--
--      Whether the holds of tasks agree with their jobs; all tenants.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
--           I5   the captures of a task's holds are what its jobs were charged
--                so far, and what is left of a hold is what its open jobs
--                may still cost
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.invariant_breaks
-- ----------------------------------------------------------------------
create or replace function internal.invariant_hold()
returns table (inv text, id text)
language sql stable
as $$
    with sums as (
        select j.tenant_id, j.task_id,
               sum(coalesce(j.charged, j.confirmed)) as charged
          from podi.job j
         group by j.tenant_id, j.task_id
    ), owed as (
        select j.tenant_id, coalesce(j.hold_id, t.hold_id) as hold_id,
               sum(j.price - j.confirmed) as rest
          from podi.job j
          join podi.task_header t
            on t.tenant_id = j.tenant_id and t.task_id = j.task_id
         where j.settled_fence is null
         group by 1, 2
    ), drawn as (
        select h.tenant_id, h.task_id, sum(h.captured) as captured
          from podi.hold h group by h.tenant_id, h.task_id
    )
    select 'I5 holds capture their jobs'' charges', t.task_id::text
      from podi.task_header t
      left join sums s on s.tenant_id = t.tenant_id and s.task_id = t.task_id
      left join drawn d on d.tenant_id = t.tenant_id and d.task_id = t.task_id
     where coalesce(d.captured, 0) is distinct from s.charged
    union all
    select 'I5 hold has left what its open jobs cost', h.hold_id::text
      from podi.hold h
      left join owed o on o.tenant_id = h.tenant_id and o.hold_id = h.hold_id
     where h.task_id is not null
           and h.amount - h.captured - h.released
               is distinct from coalesce(o.rest, 0)
$$;
