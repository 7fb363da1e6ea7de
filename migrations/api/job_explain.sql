-- ----------------------------------------------------------------------
-- api.job_explain(job)
--
--      Why a job is not running.
--
-- Returns:  job_id, task_id, state
--           why      finished, running, cancelled (it is being stopped),
--                    blocked_by, waits_until, queue_paused, gate_shut,
--                    no_worker or behind
--           detail   jsonb: blocked_by {jobs: [{job_id, key, state}]};
--                    waits_until {at, reason}; gate_shut {scope, slots,
--                    running}; behind {own, others}; running {since, progress};
--                    finished {ended_at, error_code}.  The load of others is
--                    not told: others is none, few (to 10) or many, and running
--                    is there for a gate of the caller's tenant or user alone.
--                    remote {kind, name, sent_at, waits_for, until}, when others
--                    carry the job out (sys.job_remote): until waits_until is
--                    over; name is for the operator's people
--                    running and finished: degraded, internal.job_degraded
--           expected_start, when it is known; attempts, crashes, deferrals
-- Raises:   U0404 no such job of the user
-- Writes:   nothing
-- Called:   task/ngx_http_podi_job_read.c
-- ----------------------------------------------------------------------
create or replace function api.job_explain(i_job uuid)
returns table (
    job_id          uuid,
    task_id         uuid,
    state           text,
    why             text,
    detail          jsonb,
    expected_start  timestamptz,
    attempts        smallint,
    crashes         smallint,
    deferrals       int)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_job     job;
    v_place   record;
    v_remote  jsonb;
begin
    perform internal.enter('user', 'admin');
    v_job := internal.job_mine(i_job);

    select p.* into v_place
      from sys.job_place(case when v_job.state = 'queued'
                              and v_job.not_before <= clock_timestamp()
                         then i_job end) p;
    why := case
        when v_job.settled_fence is not null             then 'finished'
        when v_job.cancel_requested                      then 'cancelled'
        when v_job.state = 'running'                     then 'running'
        when v_job.state = 'blocked'                     then 'blocked_by'
        when v_job.not_before > clock_timestamp()        then 'waits_until'
        else coalesce(v_place.why, 'running') end;
    select jsonb_build_object('remote', jsonb_build_object(
               'kind', r.kind,
               'name', case when internal.operator_is() then r.name end,
               'sent_at', internal.rfc3339(r.sent_at), 'waits_for', r.wants,
               'until', case when why = 'waits_until' and r.wants is not null
                        then internal.rfc3339(v_job.not_before) end))
      into v_remote
      from sys.job_remote(i_job) r;

    return query
    select v_job.job_id, v_job.task_id, v_job.state, why, case why
           when 'finished'    then jsonb_build_object(
                                       'ended_at', internal.rfc3339(v_job.ended_at),
                                       'error_code', v_job.error_code)
                || internal.job_degraded(i_job, v_job.tenant_id)
           when 'running'     then jsonb_build_object(
                                       'since', internal.rfc3339(v_job.started_at),
                                       'progress', v_job.progress)
                || internal.job_degraded(i_job, v_job.tenant_id)
           when 'blocked_by'  then internal.job_blocked_by(i_job)
           when 'waits_until' then jsonb_build_object(
                                       'at', internal.rfc3339(v_job.not_before),
                                       'reason', internal.job_reason(i_job))
           when 'gate_shut'   then jsonb_build_object('scope', v_place.scope,
                                       'slots', v_place.slots)
                || case when v_place.scope ~ '^(tenant|user):'
                   then jsonb_build_object('running', v_place.running)
                   else '{}' end
           when 'behind'      then jsonb_build_object('own', v_place.own,
                                       'others', case
                                       when v_place.others = 0 then 'none'
                                       when v_place.others <= 10 then 'few'
                                       else 'many' end)
           else                    jsonb '{}' end || coalesce(v_remote, '{}'),
           v_place.expected_start, v_job.attempts, v_job.crashes,
           v_job.deferrals;
end
$$;
