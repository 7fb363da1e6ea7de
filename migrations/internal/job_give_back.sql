-- ----------------------------------------------------------------------
-- internal.job_give_back(backs)
--
--      Takes running jobs from their holder, who could not end them: kind is
--      attempt (it failed, try again), deferral (it could not be tried),
--      return (the holder stops), crashed or lost (the holder is gone).
--      A job that its user cancelled ends now, and when its holder only stops
--      it is paid in full, if that was agreed; so does one that failed as often
--      as its action allows, and one that took as many holders with it as its
--      queue allows: that one is set aside.  The others are queued again.  The
--      caller holds the locks of the tasks and the jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb for event_append_all
-- Raises:   nothing
-- Writes:   podi.job, podi.attempt, podi.task_header, the wallet tables
-- Called:   sys.job_retry, internal.job_take_back
-- ----------------------------------------------------------------------
create or replace function internal.job_give_back(i_backs podi.job_back[])
returns jsonb
language plpgsql
as $$
declare
    v_ends    podi.job_end[];
    v_queue   podi.job_back[];
    v_events  jsonb := '[]';
begin
    select array_agg((j.ord, j.job_id,
               case when j.cancel_requested then 'cancelled' else 'failed' end,
               case when s.gone then b.kind
                    when j.cancel_requested then 'cancelled' else 'failed' end,
               s.gone::int,
               b.kind = 'return' and j.cancel_requested
               and j.terms ->> 'cancel' = 'full',
               s.gone and not j.cancel_requested,
               null, null, null,
               case when j.cancel_requested then 'job_cancelled'
                    else coalesce(b.code, 'internal') end,
               case when j.cancel_requested then null
                    else left(b.detail, 1000) end,
               null, null, null, null)::podi.job_end order by j.task_id, j.ord)
               filter (where j.cancel_requested or s.spent),
           array_agg(b) filter (where not j.cancel_requested and not s.spent)
      into v_ends, v_queue
      from unnest(i_backs) b
      join podi.job j on j.job_id = b.job_id and j.state = 'running'
      join podi.queue_type q on q.queue = j.queue
     cross join lateral (
           select b.kind in ('crashed', 'lost') as gone,
                  case b.kind when 'crashed' then j.crashes + 1 >= q.max_crashes
                              when 'lost'    then j.crashes + 1 >= q.max_crashes
                              when 'attempt' then j.attempts >= j.max_attempts
                  else false end as spent) s;

    if v_ends is not null then
        v_events := (internal.job_end_all(v_ends)).events;
    end if;

    if v_queue is not null then
        v_events := v_events || internal.job_requeue(v_queue);
    end if;

    return v_events;
end
$$;
