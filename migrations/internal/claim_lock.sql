-- ----------------------------------------------------------------------
-- internal.claim_lock(tenant, task, job, user)
--
--      Locks a queued job, its task and the head of its user, all without
--      waiting.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  whether it has all three
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.claim_pick
-- ----------------------------------------------------------------------
create or replace function internal.claim_lock(
    i_tenant  uuid,
    i_task    uuid,
    i_job     uuid,
    i_user    uuid)
returns boolean
language plpgsql
as $$
begin
    perform 1
       from podi.task_header t
      where t.task_id = i_task and t.tenant_id = i_tenant
        for no key update skip locked;
    if not found then
        return false;
    end if;

    perform 1
       from podi.job j
      where j.job_id = i_job and j.tenant_id = i_tenant and j.state = 'queued'
        for no key update skip locked;
    if not found then
        return false;
    end if;

    perform 1
       from podi.user_head h
      where h.tenant_id = i_tenant and h.user_id = i_user
        for no key update skip locked;
    return found;
end
$$;
