-- ----------------------------------------------------------------------
-- sys.job_retry(retries)
--
--      Holders could not end jobs, any number of them in one commit.  kind
--      'attempt': it failed and may be tried again; when that was the last
--      attempt allowed, the job fails.  kind 'deferral': it could not even be
--      tried (a gate, a 429); the attempt is given back.  kind 'return': the
--      holder stops; at once, and the attempt does not count.  A job that its
--      user cancelled ends cancelled.  What the attempt used and cost is kept
--      with it, see internal.attempt_used.
--      May be sent again any number of times, in any company.
--
-- Returns:  a row for each item, in their order:
--           job_id
--           verdict  OK       done now
--                    ALREADY  this fence gave the job up before
--                    STALE    the job belongs to somebody else by now
--           state of the job, _events (all of them in the first row)
-- Raises:   22P02 what is not of that form; U0400 another kind, or a negative
--           delay; nothing is written then
-- Writes:   podi.job, podi.attempt, podi.task_header, the wallet tables for
--           what ends, podi.user_head, podi.user_event
-- Called:   workers/skeleton
--
--      retries: [{job_id, fence, kind, delay_ms, error_code, error_detail,
--      usage, cost_micros}]; the last four may be missing.
--      Phases over sorted sets: tasks, jobs, wallets, user heads.
-- ----------------------------------------------------------------------
create or replace function sys.job_retry(i_retries jsonb)
returns table (
    job_id   uuid,
    verdict  text,
    state    text,
    _events  jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_backs   podi.job_back[];
    v_open    podi.job_back[];
    v_events  jsonb := '[]';
begin
    perform internal.job_lock(array(
        select (e.value ->> 'job_id')::uuid
          from jsonb_array_elements(i_retries) e));

    v_backs := internal.retry_judge(i_retries);
    v_open := array(select b::podi.job_back from unnest(v_backs) b
                     where b.verdict is null);

    if v_open <> '{}' then
        perform internal.attempt_used(v_open);
        v_events := internal.event_append_all(internal.job_give_back(v_open));
    end if;

    return query
    select b.job_id, coalesce(b.verdict, 'OK'), j.state,
           case b.ord when 1 then v_events else '[]' end
      from unnest(v_backs) b
      left join lateral (
           select q.state from job q where q.job_id = b.job_id limit 1) j on true
     order by b.ord;
end
$$;
