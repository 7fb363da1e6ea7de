-- ----------------------------------------------------------------------
-- internal.task_stop(task)
--
--      The work of api.task_cancel once the request is known to be new.
--      Locks the task, then its open jobs: a claim, a settle or a sweep of one
--      of them is over or has not begun.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  events jsonb as stored, dropped jsonb, pokes jsonb
-- Raises:   U0404 no such task of the entered user; U0431 it has ended
-- Writes:   podi.task_header, podi.job, the wallet tables, podi.user_head,
--           podi.user_event
-- Called:   api.task_cancel
-- ----------------------------------------------------------------------
create or replace function internal.task_stop(
    i_task       uuid,
    out events   jsonb,
    out dropped  jsonb,
    out pokes    jsonb)
language plpgsql
as $$
declare
    v_state   text;
    v_queued  uuid[];
begin
    update podi.task_header t
       set cancel_requested_at = coalesce(t.cancel_requested_at,
                                          clock_timestamp())
     where t.task_id = i_task and t.tenant_id = internal.tenant()
           and t.user_id = internal.user_id() and t.kind = 'user'
    returning t.state into v_state;
    if not found then
        raise exception 'no task %', i_task using errcode = 'U0404';
    end if;
    if v_state not in ('queued', 'running') then
        raise exception 'the task has %', v_state using errcode = 'U0431';
    end if;

    perform 1
       from podi.job j
      where j.tenant_id = internal.tenant() and j.task_id = i_task
            and j.state in ('blocked', 'queued', 'running')
      order by j.job_id
        for no key update;

    update podi.job j
       set cancel_requested = true
     where j.tenant_id = internal.tenant() and j.task_id = i_task
           and j.state = 'running' and not j.cancel_requested;

    select array_agg(j.job_id) into v_queued
      from podi.job j
     where j.tenant_id = internal.tenant() and j.task_id = i_task
           and j.state in ('blocked', 'queued');

    events := '[]';
    if v_queued is not null then
        events := internal.event_append_all(internal.job_end(
                      v_queued, 'cancelled', 'job_cancelled', null,
                      'cancelled', 1));
    end if;

    select coalesce(jsonb_object_agg(q.queue, q.ids), '{}') into dropped
      from (select j.queue, jsonb_agg(j.job_id order by j.ord) as ids
              from podi.job j
             where j.job_id = any (v_queued) and j.tenant_id = internal.tenant()
             group by j.queue) q;

    select coalesce(jsonb_agg(jsonb_build_object('job_id', j.job_id,
                                                 'worker', j.worker)
                              order by j.ord), '[]')
      into pokes
      from podi.job j
     where j.tenant_id = internal.tenant() and j.task_id = i_task
           and j.state = 'running';
end
$$;
