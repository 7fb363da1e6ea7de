-- ----------------------------------------------------------------------
-- sys.job_replay(job, reason)
--
--      The operator has looked at a dead letter and wants it done: its task is
--      begun again, as api.task_retry does it for its user, who pays for what
--      is left to pay.
--
-- Returns:  task_id, round, price (what was frozen for the round), _hints jsonb
--           (see sys.job_dispatch), _events jsonb
-- Raises:   U0404 no such dead letter; U0422 no reason
--           U0409 its task has not ended, or points of it were given back; or it
--           is a check, whose upload was rejected with it
--           U0402 the user has not enough points; detail required, available,
--           missing; U0433 nor as much left of a budget
-- Writes:   podi.task_header, podi.job, the wallet tables when something is
--           left to pay, podi.audit, podi.user_head, podi.user_event
-- Called:   whatever speaks for the operator
-- ----------------------------------------------------------------------
create or replace function sys.job_replay(
    i_job     uuid,
    i_reason  text,
    out task_id  uuid,
    out round    int,
    out price    bigint,
    out _hints   jsonb,
    out _events  jsonb)
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

    select j.tenant_id, j.user_id, j.task_id, t.kind into v_job
      from job j
      join task_header t on t.task_id = j.task_id and t.tenant_id = j.tenant_id
     where j.job_id = i_job and j.set_aside;
    if not found then
        raise exception 'no dead letter %', i_job using errcode = 'U0404';
    elsif v_job.kind = 'system' then
        raise exception 'a check is uploaded again, not replayed'
              using errcode = 'U0409';
    end if;

    task_id := v_job.task_id;
    select r.round, r.price, r.hints, r.events
      into round, price, _hints, _events
      from internal.task_reopen(v_job.tenant_id, v_job.user_id, v_job.task_id,
                                true) r;
    perform internal.audit_append(v_job.tenant_id, 'job.replay', v_job.user_id,
                jsonb_build_object('job_id', i_job, 'task_id', v_job.task_id,
                'round', round, 'price', price, 'reason', i_reason));
end
$$;
