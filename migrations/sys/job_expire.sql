-- ----------------------------------------------------------------------
-- sys.job_expire(limit)
--
--      Fails jobs that could not be started in time and gives their points
--      back.  Passes over what is locked; comes again.
--
-- Returns:  job_id, tenant_id, queue, state, _events (all in the first row)
-- Raises:   nothing
-- Writes:   podi.job, podi.task_header, the wallet tables, podi.media,
--           podi.user_head, podi.user_event
-- Called:   podi_dispatchd
-- ----------------------------------------------------------------------
create or replace function sys.job_expire(i_limit int)
returns table (
    job_id     uuid,
    tenant_id  uuid,
    queue      text,
    state      text,
    _events    jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_now     timestamptz := clock_timestamp();
    v_ids     uuid[];
    v_events  jsonb;
begin
    select array_agg(s.job_id) into v_ids
      from (select j.job_id
              from job j
             where j.state = 'queued' and j.start_by <= v_now
             order by j.start_by
             limit i_limit) s;
    if v_ids is null then
        return;
    end if;

    v_ids := internal.job_lock_idle(v_ids);

    -- read again under the lock: it may have been cancelled, or put back anew
    select array_agg(j.job_id) into v_ids
      from job j
     where j.job_id = any (v_ids) and j.state = 'queued'
           and j.start_by <= v_now;
    if v_ids is null then
        return;
    end if;

    v_events := internal.event_append_all(internal.job_end(
                    v_ids, 'failed', 'job_expired', 'not started in time',
                    'failed', 1));

    return query select s.* from internal.job_states(v_ids, v_events) s;
end
$$;
