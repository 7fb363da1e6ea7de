-- ----------------------------------------------------------------------
-- api.task_cancel(task, key, hash)
--
--      Stops what has not been done: queued jobs end at once and their points
--      come back in the same commit; running jobs are marked, and whoever
--      holds them settles them.  A task none of whose jobs runs ends here.
--
-- Returns:  task_id, state, price, charged, jobs_total, jobs_open,
--           jobs_succeeded, trace_id, created_at, started_at, ended_at,
--           cancel_requested_at, _events jsonb,
--           _dropped jsonb {queue: [job_id]}: hints that are void now,
--           _pokes jsonb [{job_id, worker}]: whom to tell
-- Raises:   U0404 no such task; U0431 it has ended; U0410 idempotency
-- Writes:   podi.idempotency, podi.task_header, podi.job, the wallet tables,
--           podi.user_head, podi.user_event
-- Called:   task/ngx_http_podi_task_cancel.c
-- ----------------------------------------------------------------------
create or replace function api.task_cancel(
    i_task  uuid,
    i_key   text,
    i_hash  bytea)
returns table (
    task_id              uuid,
    state                text,
    price                bigint,
    charged              bigint,
    jobs_total           int,
    jobs_open            int,
    jobs_succeeded       int,
    trace_id             text,
    created_at           timestamptz,
    started_at           timestamptz,
    ended_at             timestamptz,
    cancel_requested_at  timestamptz,
    _events              jsonb,
    _dropped             jsonb,
    _pokes               jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_route  text := 'task.cancel ' || i_task;
    v_done   record;
begin
    perform internal.enter('user', 'admin');

    if internal.idem_begin(v_route, i_key, i_hash) is null then
        v_done := internal.task_stop(i_task);
        perform internal.idem_end(v_route, i_key,
                                  jsonb_build_object('task_id', i_task));
    else
        select jsonb '[]' as events, jsonb '{}' as dropped, jsonb '[]' as pokes
          into v_done;
    end if;

    return query
    select t.task_id, t.state, t.price, t.charged, t.jobs_total, t.jobs_open,
           t.jobs_succeeded, t.trace_id, t.created_at, t.started_at, t.ended_at,
           t.cancel_requested_at, v_done.events, v_done.dropped, v_done.pokes
      from task_header t
     where t.task_id = i_task and t.tenant_id = internal.tenant()
           and t.user_id = internal.user_id();
end
$$;
