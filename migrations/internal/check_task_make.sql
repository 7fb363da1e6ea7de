-- ----------------------------------------------------------------------
-- internal.check_task_make(media, task, job, trace)
--
--      Makes the system task that checks an upload.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, the hints of internal.job_hints
-- Raises:   U0430 media.check is not among the actions
-- Writes:   podi.task_header, podi.job
-- Called:   api.media_complete
-- ----------------------------------------------------------------------
create or replace function internal.check_task_make(
    i_media  uuid,
    i_task   uuid,
    i_job    uuid,
    i_trace  text)
returns jsonb
language plpgsql
as $$
declare
    v_action  podi.action;
begin
    select a.* into v_action
      from podi.action a
     where a.action = 'media.check' and a.state = 'active';
    if not found then
        raise exception 'no action media.check' using errcode = 'U0430';
    end if;

    insert into podi.task_header (tenant_id, task_id, user_id, kind, price,
                                  jobs_total, jobs_open, trace_id)
    values (internal.tenant(), i_task, internal.user_id(), 'system', 0, 1, 1,
            i_trace);

    insert into podi.job (tenant_id, job_id, task_id, user_id, ord, action,
                          queue, params, inputs, price, max_attempts, start_by)
    values (internal.tenant(), i_job, i_task, internal.user_id(), 1,
            v_action.action, v_action.queue, '{}', array[i_media], 0,
            v_action.max_attempts,
            now() + v_action.max_wait_ms * interval '1 millisecond');

    return internal.job_hints(array[i_job]);
end
$$;
