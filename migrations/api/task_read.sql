-- ----------------------------------------------------------------------
-- api.task_read(task)
--
--      One task of the caller with its jobs, results and events.
--
-- Returns:  the columns of api.task_list without actions, cancel_requested_at,
--           jobs jsonb (internal.task_jobs), results jsonb
--           (internal.task_results), events jsonb [{seq, at, type, job_id,
--           data}]; no row when there is no such task
-- Raises:   nothing of its own
-- Writes:   nothing
-- Called:   task/ngx_http_podi_task_read.c
-- ----------------------------------------------------------------------
create or replace function api.task_read(i_task uuid)
returns table (
    task_id              uuid,
    state                text,
    price                bigint,
    charged              bigint,
    jobs_total           int,
    jobs_open            int,
    jobs_succeeded       int,
    channel              text,
    hold_id              bigint,
    priority             text,
    on_failure           text,
    start_at             timestamptz,
    deadline_at          timestamptz,
    round                smallint,
    trace_id             text,
    created_at           timestamptz,
    started_at           timestamptz,
    ended_at             timestamptz,
    cancel_requested_at  timestamptz,
    jobs                 jsonb,
    results              jsonb,
    events               jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin');

    return query
    select t.task_id, t.state, t.price, t.charged, t.jobs_total, t.jobs_open,
           t.jobs_succeeded, t.channel, t.hold_id,
           internal.priority_word(t.priority), t.on_failure, t.start_at,
           t.deadline_at, t.round, t.trace_id, t.created_at, t.started_at,
           t.ended_at, t.cancel_requested_at,
           internal.task_jobs(t.tenant_id, t.task_id),
           internal.task_results(t.tenant_id, t.task_id),
           (select coalesce(jsonb_agg(jsonb_build_object(
                       'seq', e.seq, 'at', internal.rfc3339(e.at),
                       'type', e.type, 'job_id', e.job_id, 'data', e.data)
                       order by e.seq), '[]')
              from task_event e
             where e.tenant_id = t.tenant_id and e.task_id = t.task_id)
      from task_header t
     where t.task_id = i_task and t.tenant_id = internal.tenant()
           and t.user_id = internal.user_id() and t.kind = 'user';
end
$$;
