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
as $$
declare
    v_ends    job_end[];
    v_open    job_end[];
    v_events  jsonb := '[]';
    v_hints   jsonb := '[]';
    v_done    job_done[];
begin
    perform internal.job_lock(array(
        select (e.value ->> 'job_id')::uuid
          from jsonb_array_elements(i_settles) e));

    v_ends := internal.result_put_all(internal.settle_judge(i_settles));
    v_open := array(select e::job_end from unnest(v_ends) e
                     where e.verdict is null);

    if v_open <> '{}' then
        select m.done, m.events, m.hints into v_done, v_events, v_hints
          from internal.job_end_all(v_open) m;
        v_events := internal.event_append_all(v_events);
    end if;

    return query
    select e.job_id, coalesce(e.verdict, 'OK'),
           coalesce(t.task_state, e.task_state),
           case e.verdict when 'REFUSED' then e.code end,
           case e.verdict when 'REFUSED' then e.detail end,
           case e.ord when 1 then v_events else '[]' end,
           case e.ord when 1 then v_hints else '[]' end
      from unnest(v_ends) e
      left join unnest(v_done) d on d.job_id = e.job_id
      left join lateral (
           select u.task_state
             from unnest(v_done) u
            where u.task_id = d.task_id
            order by u.jobs_open
            limit 1) t on true
     order by e.ord;
end
$$;
