-- ----------------------------------------------------------------------
-- sys.job_settle(settles)
--
--      The heart: fence check, results, money, the ends of the tasks, what
--      that unblocks, and the events, for any number of jobs in one commit.
--      May be sent again any number of times, in any company.
--
-- Returns:  a row for each item, in their order:
--           job_id
--           verdict  OK        done now
--                    ALREADY   done before, with the same payload
--                    MISMATCH  done before under this fence, another payload
--                    STALE     the job belongs to somebody else by now
--                    REFUSED   it contradicts itself; nothing was written of
--                              it, and error_code and error_detail say why
--           task_state, error_code, error_detail
--           _events, _hints (all of them in the first row)
-- Raises:   22P02 what is not of that form; U0421 a hold has less left than
--           its jobs cost; nothing is written then
-- Writes:   podi.task_header, podi.job, podi.attempt, podi.media,
--           podi.media_parent, the wallet tables when a job has a price,
--           podi.user_head, podi.user_event
-- Called:   workers/skeleton
--
--      settles: [{job_id, fence, state, results, error_code, error_detail,
--      usage, cost_micros}]; state succeeded, failed or cancelled; the rest
--      may be missing.  Payload, for ALREADY: state, error_code and the
--      digest of results.  What a job costs is not the worker's to say.
--      Phases over sorted sets: tasks, jobs, wallets, user heads.
-- ----------------------------------------------------------------------
create or replace function sys.job_settle(i_settles jsonb)
returns table (
    job_id        uuid,
    verdict       text,
    task_state    text,
    error_code    text,
    error_detail  text,
    _events       jsonb,
    _hints        jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
    v_ends    podi.job_end[];
    v_open    podi.job_end[] := '{}';
    v_end     podi.job_end;
    v_ended   record;
    v_all     podi.job_done[] := '{}';
    v_done    podi.job_done;
    v_tasks   jsonb := '{}';
    v_events  jsonb := '[]';
    v_hints   jsonb := '[]';
begin
    perform internal.job_lock(array(
        select (e.value ->> 'job_id')::uuid
          from jsonb_array_elements(i_settles) e));

    v_ends := internal.result_put_all(internal.settle_judge(i_settles));
    foreach v_end in array v_ends loop
        if v_end.verdict is null then
            v_open := v_open || v_end;
        end if;
    end loop;

    if v_open <> '{}' then
        v_ended := internal.job_end_all(v_open);
        v_all := v_ended.done;
        v_hints := v_ended.hints;
        v_events := internal.event_append_all(v_ended.events);
    end if;

    foreach v_done in array v_all loop
        v_tasks := v_tasks || jsonb_build_object(
                       v_done.job_id, v_done.task_id,
                       v_done.task_id, v_done.task_state);
    end loop;

    foreach v_end in array v_ends loop
        job_id := v_end.job_id;
        verdict := coalesce(v_end.verdict, 'OK');
        task_state := coalesce(v_tasks ->> (v_tasks ->> job_id::text),
                               v_end.task_state);
        error_code := case verdict when 'REFUSED' then v_end.code end;
        error_detail := case verdict when 'REFUSED' then v_end.detail end;
        _events := case v_end.ord when 1 then v_events else '[]' end;
        _hints := case v_end.ord when 1 then v_hints else '[]' end;
        return next;
    end loop;
end
$$;
