-- ----------------------------------------------------------------------
-- internal.job_give_back(ids, kind, delay, code, detail)
--
--      Takes running jobs from their holder, who could not end them: kind is
--      attempt (it failed, try again), deferral (it could not be tried),
--      return (the holder stops), crashed or lost (the holder is gone).
--      A job that its user cancelled ends now, and when its holder only stops
--      it is paid in full, if that was agreed; so does one that failed as often
--      as its action allows, and one that took as many holders with it as its
--      queue allows: that one is set aside.  The others are queued again.  The
--      caller holds the locks of the tasks and the jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb for event_append_all
-- Raises:   nothing
-- Writes:   podi.job, podi.attempt, podi.task_header, the wallet tables
-- Called:   sys.job_retry, sys.job_return, sys.job_sweep, sys.worker_gone,
--           sys.job_beat
-- ----------------------------------------------------------------------
create or replace function internal.job_give_back(
    i_ids     uuid[],
    i_kind    text,
    i_delay   interval,
    i_code    text,
    i_detail  text)
returns jsonb
language plpgsql
as $$
declare
    v_gone    boolean := i_kind in ('crashed', 'lost');
    v_ends    podi.job_end[];
    v_queue   uuid[];
    v_events  jsonb := '[]';
begin
    select array_agg((j.ord, j.job_id,
               case when j.cancel_requested then 'cancelled' else 'failed' end,
               case when v_gone then i_kind
                    when j.cancel_requested then 'cancelled' else 'failed' end,
               v_gone::int,
               i_kind = 'return' and j.cancel_requested
               and j.terms ->> 'cancel' = 'full',
               v_gone and not j.cancel_requested,
               null, null, null,
               case when j.cancel_requested then 'job_cancelled'
                    else coalesce(i_code, 'internal') end,
               case when j.cancel_requested then null
                    else left(i_detail, 1000) end,
               null, null, null, null)::podi.job_end order by j.task_id, j.ord)
               filter (where j.cancel_requested or s.spent),
           array_agg(j.job_id) filter (where not j.cancel_requested
                                             and not s.spent)
      into v_ends, v_queue
      from podi.job j
      join podi.queue_type q on q.queue = j.queue
     cross join lateral (
           select case when v_gone             then j.crashes + 1 >= q.max_crashes
                       when i_kind = 'attempt' then j.attempts >= j.max_attempts
                       else false end as spent) s
     where j.job_id = any (i_ids) and j.state = 'running';

    if v_ends is not null then
        v_events := (internal.job_end_all(v_ends)).events;
    end if;

    if v_queue is not null then
        v_events := v_events || internal.job_requeue(v_queue, i_kind, i_delay,
                                                     i_code);
    end if;

    return v_events;
end
$$;
