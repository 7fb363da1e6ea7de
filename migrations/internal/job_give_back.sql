-- ----------------------------------------------------------------------
-- internal.job_give_back(ids, kind, delay, code, detail)
--
--      Takes running jobs from their holder, who could not end them: kind is
--      attempt (it failed, try again), deferral (it could not be tried),
--      return (the holder stops), crashed or lost (the holder is gone).
--      A job that its user cancelled ends now; so does one that failed as often
--      as its action allows, and one that took three holders with it.  The
--      others are queued again.  The caller holds the locks of the tasks and
--      the jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb for event_append_all
-- Raises:   nothing
-- Writes:   podi.job, podi.attempt, podi.task_header, the wallet tables
-- Called:   sys.job_retry, sys.job_return, sys.job_sweep, sys.worker_gone
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
    v_cancel  uuid[];
    v_fail    uuid[];
    v_queue   uuid[];
    v_events  jsonb := '[]';
begin
    select array_agg(j.job_id) filter (where j.cancel_requested),
           array_agg(j.job_id) filter (where not j.cancel_requested and s.spent),
           array_agg(j.job_id) filter (where not j.cancel_requested and not s.spent)
      into v_cancel, v_fail, v_queue
      from podi.job j
     cross join lateral (
           select case when v_gone             then j.crashes + 1 >= 3
                       when i_kind = 'attempt' then j.attempts >= j.max_attempts
                       else false end as spent) s
     where j.job_id = any (i_ids) and j.state = 'running';

    -- both kinds of end in one order of wallets
    if v_cancel is not null and v_fail is not null then
        perform internal.wallet_lock(v_cancel || v_fail);
    end if;

    if v_cancel is not null then
        v_events := internal.job_end(v_cancel, 'cancelled', 'job_cancelled', null,
                        case when v_gone then i_kind else 'cancelled' end,
                        v_gone::int);
    end if;

    if v_fail is not null then
        v_events := v_events || internal.job_end(v_fail, 'failed',
                        coalesce(i_code, 'internal'), i_detail,
                        case when v_gone then i_kind else 'failed' end,
                        v_gone::int);
    end if;

    if v_queue is not null then
        v_events := v_events || internal.job_requeue(v_queue, i_kind, i_delay,
                                                     i_code);
    end if;

    return v_events;
end
$$;
