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
    v_tenant  uuid := internal.tenant();
    v_user    uuid := internal.user_id();
    v_from    timestamptz := greatest(i_start, now());
    v_plan    podi.job_plan;
    v_waits   boolean;
    v_hints   jsonb := '[]';
begin
    for i in 1 .. cardinality(i_plan) loop
        v_plan := i_plan[i];
        v_waits := coalesce(v_plan.needs, '{}') <> '{}';
        insert into podi.job (tenant_id, job_id, task_id, user_id, ord, key,
                              action, queue, params, inputs, price, rule_id,
                              hold_id, priority, max_attempts, terms, state,
                              needs_open, not_before, start_by)
        values (v_tenant, i_jobs[i], i_task, v_user, i, v_plan.key,
                v_plan.action, v_plan.queue, v_plan.params, v_plan.inputs,
                v_plan.price, (v_plan.rule).rule_id,
                case when v_plan.price > 0 then i_hold end, i_priority,
                v_plan.max_attempts, v_plan.terms,
                case when v_waits then 'blocked' else 'queued' end,
                coalesce(cardinality(v_plan.needs), 0), v_from,
                least(i_deadline,
                      v_from + v_plan.max_wait_ms * interval '1 millisecond'));
        continue when v_waits or v_from > now();

        v_hints := v_hints || jsonb_build_object(
            'job_id', i_jobs[i], 'tenant_id', v_tenant, 'queue', v_plan.queue,
            'priority', i_priority, 'weight', v_plan.weight,
            'cost', v_plan.cost, 'plan', v_plan.plan,
            'scopes', internal.job_scopes(v_plan.queue, v_plan.action, v_tenant,
                                          v_user, v_plan.gates));
    end loop;

    if i_plan[1].key is not null then
        insert into podi.job_need (tenant_id, job_id, needs_job_id, place)
        select v_tenant, i_jobs[p.ordinality], i_jobs[n.need], n.place
          from unnest(i_plan) with ordinality p
         cross join lateral unnest(p.needs, p.places) n (need, place);
    end if;
    return v_hints;
end
$$;
