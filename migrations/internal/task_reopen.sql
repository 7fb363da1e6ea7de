-- ----------------------------------------------------------------------
-- internal.task_reopen(tenant, user, task, aside)
--
--      Begins the next round of a task that ended without all of its work:
--      what failed or was cancelled is asked for again, what succeeded is
--      kept, and what is paid is not paid again.
--
--          task, jobs locked -> what is left to pay is frozen -> task, jobs
--
--      Locks the task first, so that the end of the round before is over.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  hints jsonb as internal.job_hints, events jsonb as stored, round,
--           price (of the round)
-- Raises:   U0404 no such task of the user; U0431 it has succeeded
--           U0409 it has not ended, points of it were given back, or a job
--           would wait for what was never made
--           U0454 a job was set aside, unless aside says that this is known
--           U0402 not enough points; detail required, available, missing
--           U0433 a budget has not as much left; see internal.quota_check
-- Writes:   podi.task_header, podi.job, the wallet tables when something is
--           left to pay, podi.user_head, podi.user_event
-- Called:   api.task_retry, sys.job_replay
-- ----------------------------------------------------------------------
create or replace function internal.task_reopen(
    i_tenant    uuid,
    i_user      uuid,
    i_task      uuid,
    i_aside     boolean,
    out hints   jsonb,
    out events  jsonb,
    out round   int,
    out price   bigint)
language plpgsql
as $$
declare
    v_task    podi.task_header;
    v_left    record;
    v_frozen  record;
    v_hold    bigint;
    v_money   jsonb;
begin
    select t.* into v_task
      from podi.task_header t
     where t.task_id = i_task and t.tenant_id = i_tenant
           and t.user_id = i_user and t.kind = 'user'
       for no key update;
    if not found then
        raise exception 'no task %', i_task using errcode = 'U0404';
    end if;
    if v_task.state in ('queued', 'running') then
        raise exception 'the task has not ended' using errcode = 'U0409';
    elsif v_task.state = 'succeeded' then
        raise exception 'the task has succeeded' using errcode = 'U0431';
    end if;

    v_left := internal.task_left(v_task, i_aside);
    round := v_task.round + 1;
    price := v_left.price;
    if price > 0 then
        v_frozen := internal.hold_freeze(i_tenant, v_left.wallet, i_task,
                        round, price, interval '1 day' + v_left.wait,
                        v_task.trace_id);
        v_hold := v_frozen.o_hold;
        v_money := v_frozen.o_events;
    end if;

    update podi.task_header t
       set state = 'queued', round = task_reopen.round, started_at = null,
           ended_at = null, cancel_requested_at = null,
           hold_id = coalesce(v_hold, t.hold_id),
           jobs_open = v_left.jobs,
           jobs_cancelled = t.jobs_cancelled - v_left.cancelled,
           deadline_at = case when t.deadline_at > now() then t.deadline_at end
     where t.task_id = i_task and t.tenant_id = i_tenant
    returning t.* into v_task;

    hints := internal.job_hints(internal.job_reopen(v_task, v_hold));
    events := internal.event_append(i_tenant, i_user, internal.task_queued(
                  i_task, v_task.trace_id, v_left.jobs, price, round, v_money));
end
$$;
