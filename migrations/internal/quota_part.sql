-- ----------------------------------------------------------------------
-- internal.quota_part(tenant, task, points)
--
--      A segment of a running job is paid for: so many of the points that its
--      task has reserved of budgets are used.  The caller holds the lock of
--      the task.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   podi.quota_use, podi.quota_hold
-- Called:   internal.segment_close
-- ----------------------------------------------------------------------
create or replace function internal.quota_part(
    i_tenant  uuid,
    i_task    uuid,
    i_points  bigint)
returns void
language plpgsql
as $$
begin
    perform internal.quota_move_all(array(
        select (h.tenant_id, h.task_id, h.subject, h.meter, h.period,
                h.period_start, least(h.reserved, i_points), i_points,
                false)::podi.quota_move
          from podi.quota_hold h
         where h.task_id = i_task and h.tenant_id = i_tenant and h.open
               and h.meter = 'points'));
end
$$;
