-- ----------------------------------------------------------------------
-- internal.reconcile_expired_lease(limit)
--
--      R1: jobs whose lease ran out and that nobody swept for 5 seconds.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  kind (job), id, detail {worker, fence, until}
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.reconcile
-- ----------------------------------------------------------------------
create or replace function internal.reconcile_expired_lease(i_limit int)
returns table (kind text, id text, detail jsonb)
language sql stable
as $$
    select 'job', j.job_id::text,
           jsonb_build_object('worker', j.worker, 'fence', j.fence,
                              'until', j.lease_until)
      from podi.job j
     where j.state = 'running'
           and j.lease_until < now() - interval '5 seconds'
     order by j.lease_until
     limit i_limit
$$;
