-- ----------------------------------------------------------------------
-- internal.task_legal(row)
--
--      What a task may be: all that its row alone can show, see
--      internal.job_legal.
--      Names only what pg_catalog holds.
--
-- Returns:  whether the row may be
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what checks podi.task_header
-- ----------------------------------------------------------------------
create or replace function internal.task_legal(t podi.task_header)
returns boolean
language plpgsql immutable
as $$
begin
    return t.kind in ('user', 'system')
       and t.state in ('queued', 'running', 'succeeded', 'partial', 'failed',
                       'cancelled')
       -- it ends with its last job
       and (t.state in ('queued', 'running')) = (t.jobs_open > 0)
       and (t.jobs_open = 0) = (t.ended_at is not null)
       and t.jobs_total between 1 and 64 and t.jobs_open >= 0
       and t.jobs_succeeded >= 0 and t.jobs_cancelled >= 0
       and t.jobs_open + t.jobs_succeeded + t.jobs_cancelled <= t.jobs_total
       -- what costs nothing holds nothing
       and (t.price > 0) = (t.hold_id is not null)
       and t.charged between 0 and t.price
       and t.priority between 0 and 2 and t.round > 0
       and t.on_failure in ('continue', 'stop')
       and t.deadline_at > coalesce(t.start_at, t.created_at);
end
$$;
