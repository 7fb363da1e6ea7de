-- ----------------------------------------------------------------------
-- internal.job_end_all(ends)
--
--      Ends any number of open jobs, in phases: what falls with them; jobs,
--      attempts and tasks; what they unblock; the money; the events.  The
--      caller holds the locks of the tasks and the jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  done podi.job_done[]; events jsonb for event_append_all: of each
--           job itself, its money, and its task when that ended with it;
--           hints jsonb of what is queued now
-- Raises:   U0421 a hold has less left than its jobs cost
-- Writes:   podi.job, podi.attempt, podi.task_header, podi.media, the wallet
--           tables for jobs with a price
-- Called:   sys.job_settle, internal.job_end, internal.job_give_back
-- ----------------------------------------------------------------------
create or replace function internal.job_end_all(
    i_ends      podi.job_end[],
    out done    podi.job_done[],
    out events  jsonb,
    out hints   jsonb)
language plpgsql
as $$
declare
    v_next  record;
begin
    done := internal.job_close_all(internal.job_fallout(i_ends));
    hints := '[]';

    if exists (select 1 from unnest(done) d
                 join podi.job_need n on n.needs_job_id = d.job_id
                where d.state = 'succeeded')
    then
        v_next := internal.job_unblock(done);
        if v_next.fails is not null then
            done := done || internal.job_close_all(
                                internal.job_fallout(v_next.fails));
        end if;
        hints := internal.job_hints(v_next.ids);
    end if;

    events := internal.job_end_effects(done);
end
$$;
