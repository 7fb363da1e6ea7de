-- ----------------------------------------------------------------------
-- internal.job_end(ids, state, code, detail, outcome, bump)
--
--      internal.job_end_all for open jobs that end in one way and without a
--      result: what was frozen for them and not spent on finished segments is
--      given back.  The caller holds the locks of the tasks and the jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb for event_append_all
-- Raises:   U0421 a hold has less left than its jobs cost
-- Writes:   as internal.job_end_all
-- Called:   internal.task_stop, sys.job_expire
--
--      outcome is what becomes of the attempts that were running.
-- ----------------------------------------------------------------------
create or replace function internal.job_end(
    i_ids      uuid[],
    i_state    text,
    i_code     text,
    i_detail   text,
    i_outcome  text,
    i_bump     int)
returns jsonb
language plpgsql
as $$
declare
    v_ends  podi.job_end[];
begin
    select array_agg((j.ord, j.job_id, i_state, i_outcome, i_bump, false,
                      i_outcome in ('crashed', 'lost') and i_state = 'failed',
                      null, null, null, i_code, i_detail, null, null, null,
                      null)::podi.job_end order by j.task_id, j.ord)
      into v_ends
      from podi.job j
     where j.job_id = any (i_ids) and j.settled_fence is null;

    if v_ends is null then
        return '[]';
    end if;

    return (internal.job_end_all(v_ends)).events;
end
$$;
