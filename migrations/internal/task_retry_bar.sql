-- ----------------------------------------------------------------------
-- internal.task_retry_bar(tenant, task)
--
--      What a page is to offer when api.task_retry would refuse the task: wait
--      (it goes on), contact_operator (a job was set aside), submit_again
--      (points were given back, or what a job needs was never made).  What the
--      wallet and the budgets will say then is not asked.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  a word of the list in podi_errors.def; NULL when nothing bars it
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.job_failure
-- ----------------------------------------------------------------------
create or replace function internal.task_retry_bar(
    i_tenant  uuid,
    i_task    uuid)
returns text
language sql stable
as $$
    select case
           when bool_or(t.jobs_open > 0) then 'wait'
           when bool_or(j.set_aside) then 'contact_operator'
           when sum(j.charged) > 0 and exists (
                select 1 from podi.hold h
                 where h.task_id = i_task and h.tenant_id = i_tenant
                       and h.refunded > 0)
           then 'submit_again'
           when bool_or(f.empty) then 'submit_again'
           end
      from podi.task_header t
      join podi.job j on j.task_id = t.task_id and j.tenant_id = t.tenant_id
     cross join lateral internal.job_regain(i_tenant, i_task, j.job_id) f
     where t.task_id = i_task and t.tenant_id = i_tenant
           and j.state in ('failed', 'cancelled')
$$;
