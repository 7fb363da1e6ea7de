-- ----------------------------------------------------------------------
-- sys.job_retry(job, fence, kind, delay, error_code, error_detail, usage, cost)
--
--      The holder could not do the job.  kind 'attempt': it failed and may be
--      tried again; when that was the last attempt allowed, the job fails.
--      kind 'deferral': it could not even be tried (a gate, a 429); the
--      attempt is given back.  A job that its user cancelled ends cancelled.
--      What the attempt used and cost is kept with it, see
--      internal.attempt_used.
--
-- Returns:  verdict  OK       done now
--                    ALREADY  this fence gave the job up before
--                    STALE    the job belongs to somebody else by now
--           state of the job, _events
-- Raises:   U0400 another kind, or a negative delay
-- Writes:   podi.job, podi.attempt, podi.task_header, the wallet tables when
--           it ends, podi.user_head, podi.user_event
-- Called:   workers/skeleton
-- ----------------------------------------------------------------------
create or replace function sys.job_retry(
    i_job           uuid,
    i_fence         int,
    i_kind          text,
    i_delay_ms      bigint,
    i_error_code    text,
    i_error_detail  text,
    i_usage         jsonb default null,
    i_cost_micros   bigint default null,
    out verdict  text,
    out state    text,
    out _events  jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_held  boolean;
begin
    if i_kind is null or i_kind not in ('attempt', 'deferral')
       or i_delay_ms is null or i_delay_ms < 0
    then
        raise exception 'no retry of kind % after % ms', i_kind, i_delay_ms
              using errcode = 'U0400';
    end if;

    _events := '[]';
    perform internal.job_lock(array[i_job]);

    select j.state = 'running' and j.fence = i_fence into v_held
      from job j
     where j.job_id = i_job;

    if v_held then
        verdict := 'OK';
        if num_nonnulls(i_usage, i_cost_micros) > 0 then
            perform internal.attempt_used(array[i_job],
                        jsonb_build_array(i_usage), array[i_cost_micros]);
        end if;
        _events := internal.event_append_all(internal.job_give_back(
                       array[i_job], i_kind,
                       i_delay_ms * interval '1 millisecond', i_error_code,
                       i_error_detail));
    else
        verdict := case when exists (
                       select 1 from attempt a
                        where a.job_id = i_job and a.fence = i_fence
                              and a.outcome in ('retried', 'deferred', 'failed',
                                                'cancelled'))
                   then 'ALREADY' else 'STALE' end;
    end if;

    select j.state into state from job j where j.job_id = i_job;
end
$$;
