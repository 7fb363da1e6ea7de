-- ----------------------------------------------------------------------
-- sys.job_segment(job, fence, n, checkpoint, usage)
--
--      A part of a job is done and shall stay done: its checkpoint is kept for
--      whoever holds the job next, and its part of the price is captured.
--
-- Returns:  verdict  OK       done now
--                    ALREADY  it was done before
--                    STALE    the job belongs to somebody else by now
--                    REFUSED  the job has no such segment, or one before it
--                             is not done
--           segment, how many are done; _events
-- Raises:   U0421 the hold has less left than the part costs
-- Writes:   podi.job, podi.attempt, podi.task_header, the wallet tables when
--           the part costs something, podi.user_head, podi.user_event
-- Called:   whatever runs jobs
--
--      Parts are cut from the price at their added percents, so that they add
--      up to it, whatever the rounding; the last one takes what is left.
--      usage is what the attempt has used so far.
-- ----------------------------------------------------------------------
create or replace function sys.job_segment(
    i_job         uuid,
    i_fence       int,
    i_n           int,
    i_checkpoint  jsonb,
    i_usage       jsonb,
    out verdict  text,
    out segment  int,
    out _events  jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_job   record;
    v_upto  bigint;
begin
    _events := '[]';
    perform internal.job_lock(array[i_job]);

    select j.*, coalesce(j.terms -> 'segments', '[]') as segments,
           j.fence = i_fence and j.state = 'running' as held
      into v_job
      from job j
     where j.job_id = i_job;
    segment := v_job.segment;

    verdict := case when not found or not v_job.held        then 'STALE'
                    when i_n <= v_job.segment               then 'ALREADY'
                    when i_n > jsonb_array_length(v_job.segments)
                         or i_n <> v_job.segment + 1        then 'REFUSED'
                    else                                         'OK' end;
    if verdict <> 'OK' then
        return;
    end if;

    segment := i_n;
    v_upto := greatest(v_job.confirmed, case
        when i_n = jsonb_array_length(v_job.segments) then v_job.price
        else (select floor(v_job.price * sum((s.value ->> 'percent')::numeric)
                           / 100)
                from jsonb_array_elements(v_job.segments) with ordinality s
               where s.ordinality <= i_n) end);

    _events := internal.event_append_all(internal.segment_close(
                   i_job, i_n, v_upto, i_checkpoint, i_usage));
end
$$;
