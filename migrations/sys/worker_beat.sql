-- ----------------------------------------------------------------------
-- sys.worker_beat(worker, daemon, host, pid, jobs)
--
--      A worker process says that it lives and how many jobs it has.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   podi.worker
-- Called:   workers/skeleton
-- ----------------------------------------------------------------------
create or replace function sys.worker_beat(
    i_worker  text,
    i_daemon  text,
    i_host    text,
    i_pid     int,
    i_jobs    int)
returns void
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    insert into worker as w (worker, daemon, host, pid, jobs, seen_at)
    values (i_worker, i_daemon, i_host, i_pid, i_jobs, clock_timestamp())
    on conflict (worker) do update
       set daemon = excluded.daemon, host = excluded.host,
           started_at = case w.pid when excluded.pid then w.started_at
                                   else clock_timestamp() end,
           pid = excluded.pid, jobs = excluded.jobs,
           seen_at = excluded.seen_at;
end
$$;
