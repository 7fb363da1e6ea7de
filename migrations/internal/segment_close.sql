-- ----------------------------------------------------------------------
-- internal.segment_close(job, n, upto, checkpoint, usage)
--
--      Writes that a segment of a running job is done, and captures what the
--      job costs up to there.  The caller holds the locks of the task and the
--      job.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb for event_append_all
-- Raises:   U0421
-- Writes:   podi.job, podi.attempt, podi.task_header, the wallet tables
-- Called:   sys.job_segment
-- ----------------------------------------------------------------------
create or replace function internal.segment_close(
    i_job         uuid,
    i_n           int,
    i_upto        bigint,
    i_checkpoint  jsonb,
    i_usage       jsonb)
returns jsonb
language plpgsql
as $$
declare
    v_job    record;
    v_money  jsonb := '[]';
begin
    with j as (
        update podi.job q
           set segment = i_n, checkpoint = i_checkpoint, confirmed = i_upto
          from podi.job o
         where q.job_id = i_job and o.job_id = q.job_id
               and o.tenant_id = q.tenant_id
        returning q.*, i_upto - o.confirmed as part
    ), a as (
        update podi.attempt t
           set usage = t.usage || coalesce(i_usage, '{}')
          from j
         where t.job_id = j.job_id and t.fence = j.fence
               and t.tenant_id = j.tenant_id
    )
    update podi.task_header t
       set charged = t.charged + j.part
      from j
     where t.task_id = j.task_id and t.tenant_id = j.tenant_id
    returning j.*, coalesce(j.hold_id, t.hold_id) as hold, t.trace_id
         into v_job;

    if v_job.part > 0 then
        perform internal.quota_part(v_job.tenant_id, v_job.task_id,
                                    v_job.part);
        v_money := internal.hold_settle_all(jsonb_build_array(
            jsonb_build_object(
                'tenant_id', v_job.tenant_id, 'user_id', v_job.user_id,
                'hold_id', v_job.hold, 'task_id', v_job.task_id,
                'job_id', i_job, 'price', v_job.part, 'charge', v_job.part,
                'idem', i_job || ':s' || i_n, 'trace_id', v_job.trace_id)));
    end if;

    return jsonb_build_array(jsonb_build_object(
               'tenant_id', v_job.tenant_id, 'user_id', v_job.user_id,
               'type', 'job.segment', 'task_id', v_job.task_id,
               'job_id', i_job, 'trace_id', v_job.trace_id,
               'data', jsonb_build_object('action', v_job.action,
                   'input', v_job.inputs[1], 'segment', i_n,
                   'charged', i_upto))) || v_money;
end
$$;
