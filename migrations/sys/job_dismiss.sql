-- ----------------------------------------------------------------------
-- sys.job_dismiss(job, reason)
--
--      The operator has looked at a dead letter: it leaves the list.  The job
--      stays failed, and its points went back when it failed.
--
-- Returns:  whether it was on the list
-- Raises:   U0422 no reason
-- Writes:   podi.job, podi.audit
-- Called:   whatever speaks for the operator
-- ----------------------------------------------------------------------
create or replace function sys.job_dismiss(i_job uuid, i_reason text)
returns boolean
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_job  record;
begin
    if coalesce(trim(i_reason), '') = '' then
        raise exception 'a reason is wanted'
              using errcode = 'U0422', detail = '{"field":"reason"}';
    end if;

    update job j
       set set_aside = false
     where j.job_id = i_job and j.set_aside
    returning j.tenant_id, j.user_id into v_job;
    if not found then
        return false;
    end if;

    perform internal.audit_append(v_job.tenant_id, 'job.dismiss', v_job.user_id,
                jsonb_build_object('job_id', i_job, 'reason', i_reason));
    return true;
end
$$;
