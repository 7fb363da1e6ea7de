-- ----------------------------------------------------------------------
-- api.task_retry(task, key, hash)
--
--      Begins a task again from where it failed: another round for what failed
--      or was cancelled.  What succeeded is neither run nor paid again.
--
-- Returns:  the columns of internal.task_columns, is_new, _hints jsonb (see
--           sys.job_dispatch), _events jsonb; for a repeated key the task as it
--           is now, without hints and events
-- Raises:   U0404 no such task; U0431 it has succeeded; U0409 it has not ended,
--           or points of it were given back
--           U0454 a job of it was set aside: the operator's to decide
--           U0402 not enough points; detail required, available, missing
--           U0433 a budget has not as much left; see internal.quota_check
--           U0410 the key was used with another request
-- Writes:   podi.idempotency, podi.task_header, podi.job, the wallet tables
--           when something is left to pay, podi.user_head, podi.user_event
-- Called:   task/ngx_http_podi_task_retry.c
-- ----------------------------------------------------------------------
create or replace function api.task_retry(
    i_task  uuid,
    i_key   text,
    i_hash  bytea)
returns table (
    task_id      uuid,
    state        text,
    price        bigint,
    jobs_total   int,
    channel      text,
    hold_id      bigint,
    priority     text,
    on_failure   text,
    start_at     timestamptz,
    deadline_at  timestamptz,
    round        smallint,
    trace_id     text,
    created_at   timestamptz,
    jobs         jsonb,
    is_new       boolean,
    _hints       jsonb,
    _events      jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_route  text := 'task.retry ' || i_task;
    v_new    boolean;
    v_done   record;
begin
    perform internal.enter('user', 'admin');

    v_new := internal.idem_begin(v_route, i_key, i_hash) is null;
    if v_new then
        v_done := internal.task_reopen(internal.tenant(), internal.user_id(),
                                       i_task, false);
        perform internal.idem_end(v_route, i_key,
                                  jsonb_build_object('task_id', i_task));
    else
        select jsonb '[]' as hints, jsonb '[]' as events into v_done;
    end if;

    return query
    select c.*, v_new, v_done.hints, v_done.events
      from internal.task_columns(i_task) c;
end
$$;
