-- ----------------------------------------------------------------------
-- internal.job_make(task, jobs, plan, priority, start_at, deadline_at, hold)
--
--      Writes the jobs of a task: queued, or blocked by those that they need.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, the hints of those that may start now, as internal.job_hints
--           makes them
-- Raises:   nothing
-- Writes:   podi.job, podi.job_need
-- Called:   internal.task_make
-- ----------------------------------------------------------------------
create or replace function internal.job_make(
    i_task      uuid,
    i_jobs      uuid[],
    i_plan      podi.job_plan[],
    i_priority  smallint,
    i_start     timestamptz,
    i_deadline  timestamptz,
    i_hold      bigint)
returns jsonb
language plpgsql
as $$
declare
    v_from   timestamptz := greatest(i_start, now());
    v_hints  jsonb;
begin
    with j as (
        insert into podi.job (tenant_id, job_id, task_id, user_id, ord, key,
                              action, queue, params, inputs, price, rule_id,
                              hold_id, priority, max_attempts, terms, state,
                              needs_open, not_before, start_by)
        select internal.tenant(), i_jobs[p.ordinality], i_task,
               internal.user_id(), p.ordinality, p.key, p.action, p.queue,
               p.params, p.inputs, p.price, (p.rule).rule_id,
               case when p.price > 0 then i_hold end, i_priority,
               p.max_attempts, p.terms,
               case when coalesce(p.needs, '{}') = '{}' then 'queued'
                    else 'blocked' end,
               coalesce(cardinality(p.needs), 0), v_from,
               least(i_deadline,
                     v_from + p.max_wait_ms * interval '1 millisecond')
          from unnest(i_plan) with ordinality p
        returning job_id, ord, state)
    select jsonb_agg(jsonb_build_object(
               'job_id', j.job_id, 'tenant_id', internal.tenant(),
               'queue', p.queue, 'priority', i_priority, 'weight', p.weight,
               'cost', p.cost, 'plan', p.plan,
               'scopes', internal.job_scopes(p.queue, p.action,
                   internal.tenant(), internal.user_id(), p.gates))
               order by j.ord)
      into v_hints
      from j
      join unnest(i_plan) with ordinality p on p.ordinality = j.ord
     where j.state = 'queued' and v_from <= now();

    if i_plan[1].key is not null then
        insert into podi.job_need (tenant_id, job_id, needs_job_id, place)
        select internal.tenant(), i_jobs[p.ordinality], i_jobs[n.need], n.place
          from unnest(i_plan) with ordinality p
         cross join lateral unnest(p.needs, p.places) n (need, place);
    end if;
    return coalesce(v_hints, '[]');
end
$$;
