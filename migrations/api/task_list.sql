-- ----------------------------------------------------------------------
-- api.task_list(after, limit, state, action, from, to)
--
--      The caller's tasks, newest first; after is the last task_id of the page
--      before (ids ascend with time).  NULL filters nothing.
--
-- Returns:  task_id, state, price, charged, jobs_total, jobs_open,
--           jobs_succeeded, actions jsonb [name], channel, hold_id,
--           priority, on_failure, start_at, deadline_at, round, trace_id,
--           created_at, started_at, ended_at
-- Raises:   nothing of its own
-- Writes:   nothing
-- Called:   task/ngx_http_podi_task_list.c
-- ----------------------------------------------------------------------
create or replace function api.task_list(
    i_after   uuid,
    i_limit   int,
    i_state   text,
    i_action  text,
    i_from    timestamptz,
    i_to      timestamptz)
returns table (
    task_id         uuid,
    state           text,
    price           bigint,
    charged         bigint,
    jobs_total      int,
    jobs_open       int,
    jobs_succeeded  int,
    actions         jsonb,
    channel         text,
    hold_id         bigint,
    priority        text,
    on_failure      text,
    start_at        timestamptz,
    deadline_at     timestamptz,
    round           smallint,
    trace_id        text,
    created_at      timestamptz,
    started_at      timestamptz,
    ended_at        timestamptz)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin');

    return query
    select t.task_id, t.state, t.price, t.charged, t.jobs_total, t.jobs_open,
           t.jobs_succeeded,
           (select jsonb_agg(distinct j.action)
              from job j
             where j.tenant_id = t.tenant_id and j.task_id = t.task_id),
           t.channel, t.hold_id,
           internal.priority_word(t.priority), t.on_failure, t.start_at,
           t.deadline_at, t.round, t.trace_id, t.created_at, t.started_at, t.ended_at
      from task_header t
     where t.tenant_id = internal.tenant() and t.user_id = internal.user_id()
           and t.kind = 'user'
           and (i_after is null or t.task_id < i_after)
           and (i_state is null or t.state = i_state)
           and (i_from is null or t.created_at >= i_from)
           and (i_to is null or t.created_at < i_to)
           and (i_action is null or exists (
                select 1 from job j
                 where j.tenant_id = t.tenant_id and j.task_id = t.task_id
                       and j.action = i_action))
     order by t.task_id desc
     limit least(greatest(coalesce(i_limit, 50), 1), 1000);
end
$$;
