-- ----------------------------------------------------------------------
-- api.task_cancel_quote(task)
--
--      What api.task_cancel would cost now: what has not started comes back at
--      once; what runs costs what its action says, unless it is done before it
--      can be stopped, or fails, which costs nothing: so the least is always 0.
--
-- Returns:  task_id, state, charged (so far), releases (at once),
--           charges_least, charges_most (beyond charged), jobs jsonb [{job_id,
--           key, state, cancel, releases, charges_least, charges_most}], those
--           that are open
-- Raises:   U0404 no such task; U0431 it has ended
-- Writes:   nothing
-- Called:   task/ngx_http_podi_task_cancel_quote.c
-- ----------------------------------------------------------------------
create or replace function api.task_cancel_quote(i_task uuid)
returns table (
    task_id        uuid,
    state          text,
    charged        bigint,
    releases       bigint,
    charges_least  bigint,
    charges_most   bigint,
    jobs           jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_task  task_header;
begin
    perform internal.enter('user', 'admin');

    select t.* into v_task
      from task_header t
     where t.task_id = i_task and t.tenant_id = internal.tenant()
           and t.user_id = internal.user_id() and t.kind = 'user';
    if not found then
        raise exception 'no task %', i_task using errcode = 'U0404';
    end if;
    if v_task.ended_at is not null then
        raise exception 'the task has %', v_task.state using errcode = 'U0431';
    end if;

    return query
    select v_task.task_id, v_task.state, v_task.charged,
           coalesce(sum(c.back), 0)::bigint, 0::bigint,
           coalesce(sum(c.most), 0)::bigint,
           coalesce(jsonb_agg(jsonb_build_object(
               'job_id', c.job_id, 'key', c.key, 'state', c.state,
               'cancel', c.cancel, 'releases', c.back,
               'charges_least', 0, 'charges_most', c.most)
               order by c.ord), '[]')
      from (select j.job_id, j.key, j.state, j.ord, coalesce(j.terms ->> 'cancel', 'none') as cancel,
                   case when j.state = 'running' then 0
                        else j.price - j.confirmed end as back,
                   case when j.state = 'running'
                        then j.price - j.confirmed else 0 end as most
              from job j
             where j.task_id = i_task and j.tenant_id = internal.tenant()
                   and j.settled_fence is null) c;
end
$$;
