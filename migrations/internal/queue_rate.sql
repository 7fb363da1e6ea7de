-- ----------------------------------------------------------------------
-- internal.queue_rate(queue)
--
--      How many jobs of a queue are started in a second, by those that run or
--      were begun lately: what the workers hold, over the time in which they
--      took it.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jobs a second; NULL when nothing runs
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.job_place
-- ----------------------------------------------------------------------
create or replace function internal.queue_rate(i_queue text)
returns double precision
language sql
as $$
    select count(*) / greatest(1, extract(epoch from clock_timestamp()
                                          - min(a.started_at)))::double precision
      from podi.job j
      join podi.attempt a
        on a.job_id = j.job_id and a.fence = j.fence and a.tenant_id = j.tenant_id
     where j.state = 'running' and j.queue = i_queue
    having count(*) > 0
$$;
