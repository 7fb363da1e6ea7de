-- ----------------------------------------------------------------------
-- sys.job_aside(queue, limit)
--
--      The dead letters: jobs that took too many workers with them and that
--      nobody has looked at, with their evidence.
--
-- Returns:  job_id, tenant (slug), login, task_id, action, queue, crashes,
--           error_detail, ended_at, params, inputs, attempts jsonb [{fence,
--           worker, outcome, started_at, ended_at}], log jsonb, its last lines;
--           the oldest first
-- Raises:   nothing
-- Writes:   nothing
-- Called:   whatever speaks for the operator
--
--      queue NULL: of all queues.
-- ----------------------------------------------------------------------
create or replace function sys.job_aside(i_queue text, i_limit int)
returns table (
    job_id        uuid,
    tenant        text,
    login         text,
    task_id       uuid,
    action        text,
    queue         text,
    crashes       smallint,
    error_detail  text,
    ended_at      timestamptz,
    params        jsonb,
    inputs        jsonb,
    attempts      jsonb,
    log           jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select j.job_id, t.slug, u.login, j.task_id, j.action, j.queue, j.crashes,
           j.error_detail, j.ended_at, j.params, to_jsonb(j.inputs),
           (select jsonb_agg(jsonb_build_object('fence', a.fence,
                       'worker', a.worker, 'outcome', a.outcome,
                       'started_at', a.started_at, 'ended_at', a.ended_at)
                       order by a.fence)
              from attempt a
             where a.job_id = j.job_id and a.tenant_id = j.tenant_id),
           (select coalesce(jsonb_agg(l.line order by l.n), '[]')
              from (select o.line, o.n
                      from job_log o
                     where o.job_id = j.job_id and o.tenant_id = j.tenant_id
                     order by o.n desc
                     limit 10) l)
      from job j
      join tenant t on t.tenant_id = j.tenant_id
      join users u on u.tenant_id = j.tenant_id and u.user_id = j.user_id
     where j.set_aside and j.queue = coalesce(i_queue, j.queue)
     order by j.job_id
     limit i_limit;
end
$$;
