-- ----------------------------------------------------------------------
-- internal.reconcile_lost_hint(limit)
--
--      R2: due jobs that nobody pushed for 5 seconds, and those that are
--      queued although they were pushed a minute ago and were not pushed again.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  kind (job), id, detail {queue, due, pushed}; never pushed first
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.reconcile
-- ----------------------------------------------------------------------
create or replace function internal.reconcile_lost_hint(i_limit int)
returns table (kind text, id text, detail jsonb)
language sql stable
as $$
    select 'job', j.job_id::text,
           jsonb_build_object('queue', j.queue, 'due', j.not_before,
                              'pushed', j.pushed_at)
      from podi.job j
     where j.state = 'queued'
           and coalesce(j.pushed_at, timestamptz '-infinity')
               < now() - interval '1 minute'
           and j.not_before < now() - interval '5 seconds'
     order by coalesce(j.pushed_at, timestamptz '-infinity'), j.not_before
     limit i_limit
$$;
