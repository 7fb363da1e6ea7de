-- ----------------------------------------------------------------------
-- internal.task_outcome(jobs, succeeded, cancelled)
--
--      How a task ends whose jobs have all ended.  Inlined, so it carries no
--      SET clause and names nothing that a search path could change.
--
-- Returns:  text: succeeded, cancelled, failed or partial
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.job_close_all, internal.invariant_task
-- ----------------------------------------------------------------------
create or replace function internal.task_outcome(
    i_jobs       int,
    i_succeeded  int,
    i_cancelled  int)
returns text
language sql immutable
as $$
    select case
           when i_succeeded = i_jobs then 'succeeded'
           when i_cancelled = i_jobs then 'cancelled'
           when i_succeeded = 0      then 'failed'
           else 'partial'
           end
$$;
