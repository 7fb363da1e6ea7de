-- ----------------------------------------------------------------------
-- sys.job_settle(job, fence, state, charge, results, error_code, error_detail)
--
--      The heart: fence check, results, money, the end of the task and the
--      events, in one commit.  May be sent again any number of times.
--
-- Returns:  verdict  OK        done now
--                    ALREADY   done before, with the same payload
--                    MISMATCH  done before under this fence, another payload
--                    STALE     the job belongs to somebody else by now
--           task_state, _events
-- Raises:   U0400 the payload contradicts itself; nothing is written
-- Writes:   podi.task_header, podi.job, podi.attempt, podi.media,
--           podi.media_parent, the wallet tables when the job has a price,
--           podi.user_head, podi.user_event
-- Called:   workers/skeleton
--
--      charge NULL means the price when it succeeded, else 0.  Payload, for
--      ALREADY: state, charge, error_code and the digest of results.
--      A job has a lease as long as it runs; asking for the lease keeps the
--      planner from the index of what runs, when it means one job.
--      The task is locked before its job, so that two last jobs take turns.
-- ----------------------------------------------------------------------
create or replace function sys.job_settle(
    i_job           uuid,
    i_fence         int,
    i_state         text,
    i_charge        bigint,
    i_results       jsonb,
    i_error_code    text,
    i_error_detail  text,
    out verdict     text,
    out task_state  text,
    out _events     jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_job      record;
    v_task     task_header;
    v_charge   bigint;
    v_code     text := case i_state
                       when 'failed'    then coalesce(i_error_code, 'internal')
                       when 'cancelled' then coalesce(i_error_code, 'job_cancelled')
                       end;
    v_results  jsonb := nullif(i_results, '[]');
    v_digest   bytea := sha256(convert_to(nullif(i_results, '[]')::text, 'UTF8'));
begin
    _events := '[]';

    select j.tenant_id, j.user_id, j.task_id, j.action, j.price, j.inputs,
           t.hold_id, t.kind
      into v_job
      from job j
      join task_header t on t.task_id = j.task_id and t.tenant_id = j.tenant_id
     where j.job_id = i_job and j.fence = i_fence and j.lease_until is not null
       for no key update of t;

    if found then
        v_charge := internal.settle_check(i_state, i_charge, v_results,
                                          v_job.action, v_job.price);
        v_task := internal.job_close(v_job.tenant_id, i_job, i_fence, i_state,
                                     v_charge, v_digest, v_code, i_error_detail);
    end if;

    if v_task.task_id is null then
        select s.verdict, s.task_state into verdict, task_state
          from internal.settle_verdict(i_job, i_fence, i_state, i_charge,
                                       v_digest, v_code) s;
        return;
    end if;

    verdict := 'OK';
    task_state := v_task.state;

    if v_job.kind = 'system' then
        _events := internal.event_append_all(internal.media_checked(
                       v_job.tenant_id, v_job.inputs[1],
                       coalesce(v_results -> 0, jsonb_build_object(
                           'verdict', 'rejected', 'reject_code', v_code))));
        return;
    end if;

    if v_results is not null then
        v_results := internal.result_put(v_job.tenant_id, v_job.user_id,
                                         v_job.task_id, i_job, v_job.inputs,
                                         v_results);
    end if;

    _events := internal.event_append(v_job.tenant_id, v_job.user_id,
        internal.settle_events(v_task, i_job, i_state, v_job.action,
            v_job.inputs[1], v_charge, v_code, coalesce(v_results, '[]'),
            internal.hold_settle(v_job.tenant_id, v_job.hold_id, v_job.task_id,
                                 i_job, v_job.price, v_charge)));
end
$$;
