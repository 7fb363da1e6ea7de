-- ----------------------------------------------------------------------
-- internal.task_reopen(tenant, user, task)
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
-- Returns:  hints jsonb as internal.job_hints, events jsonb as stored
-- Raises:   U0404 no such task of the user; U0431 it has succeeded
--           U0409 it has not ended, or a job would wait for what was never made
--           U0402 not enough points; detail required, available, missing
-- Writes:   podi.task_header, podi.job, the wallet tables when something is
--           left to pay, podi.user_head, podi.user_event
-- Called:   api.task_retry
-- ----------------------------------------------------------------------
create or replace function internal.task_reopen(
    i_tenant    uuid,
    i_user      uuid,
    i_task      uuid,
    out hints   jsonb,
    out events  jsonb)
language plpgsql
as $$
declare
    v_task    podi.task_header;
    v_left    record;
    v_wallet  uuid;
    v_hold    bigint;
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

    perform 1
       from podi.job j
      where j.task_id = i_task and j.tenant_id = i_tenant
            and j.state in ('failed', 'cancelled')
      order by j.job_id
        for no key update;

    select count(*)::int as jobs,
           count(*) filter (where j.state = 'cancelled')::int as cancelled,
           sum(j.price - j.charged)::bigint as price,
           max(a.max_wait_ms) * interval '1 millisecond' as wait
      into v_left
      from podi.job j
      join podi.action a on a.action = j.action
     where j.task_id = i_task and j.tenant_id = i_tenant
           and j.state in ('failed', 'cancelled');

    if v_left.price > 0 then
        v_wallet := internal.wallet_of(i_tenant, i_user);
        v_hold := internal.hold_freeze(i_tenant, v_wallet, i_task,
                      v_task.round + 1, v_left.price,
                      interval '1 day' + v_left.wait);
    end if;

    update podi.task_header t
       set state = 'queued', round = t.round + 1, started_at = null,
           ended_at = null, cancel_requested_at = null,
           hold_id = coalesce(v_hold, t.hold_id),
           jobs_open = v_left.jobs,
           jobs_cancelled = t.jobs_cancelled - v_left.cancelled,
           deadline_at = case when t.deadline_at > now() then t.deadline_at end
     where t.task_id = i_task and t.tenant_id = i_tenant
    returning t.* into v_task;

    hints := internal.job_hints(internal.job_reopen(v_task, v_hold));
    events := internal.event_append(i_tenant, i_user, internal.task_queued(
                  i_tenant, i_task, v_task.trace_id, v_left.jobs, v_left.price,
                  v_task.round, v_wallet));
end
$$;
