-- ----------------------------------------------------------------------
-- internal.state_guard()
--
--      Trigger: lets a task or a job go only where its state machine leads.
--      The one list of transitions; docs/contracts/task-and-events.md draws it.
--      Names only what pg_catalog holds.
--
-- Returns:  the new row
-- Raises:   U0409 no such transition
-- Writes:   nothing
-- Called:   triggers of podi.task_header and podi.job
-- ----------------------------------------------------------------------
create or replace function internal.state_guard()
returns trigger
language plpgsql
as $$
declare
    c_task  constant text[] := array[
        'queued running',    'queued partial',    'queued failed',
        'queued cancelled',  'running succeeded', 'running partial',
        'running failed',    'running cancelled', 'partial queued',
        'failed queued',     'cancelled queued'];
    c_job   constant text[] := array[
        'blocked queued',    'blocked failed',    'blocked cancelled',
        'queued running',    'queued failed',     'queued cancelled',
        'running queued',    'running succeeded', 'running failed',
        'running cancelled', 'failed queued',     'failed blocked',
        'cancelled queued',  'cancelled blocked'];
begin
    if old.state || ' ' || new.state
       = any (case tg_table_name when 'job' then c_job else c_task end)
    then
        return new;
    end if;

    raise exception 'a % does not go from % to %', tg_table_name, old.state,
          new.state using errcode = 'U0409';
end
$$;
