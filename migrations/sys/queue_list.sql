-- ----------------------------------------------------------------------
-- sys.queue_list()
--
--      The queues there are, and how many jobs are in each.  Blocked jobs are
--      in none yet.
--
-- Returns:  queue, label, state (active, paused), max_crashes, queued (due or
--           not), running
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podictl queue list
-- ----------------------------------------------------------------------
create or replace function sys.queue_list()
returns table (
    queue        text,
    label        text,
    state        text,
    max_crashes  smallint,
    queued       bigint,
    running      bigint)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select q.queue, q.label, q.state, q.max_crashes,
           count(*) filter (where j.state = 'queued'),
           count(*) filter (where j.state = 'running')
      from queue_type q
      left join job j
        on j.queue = q.queue and j.state in ('queued', 'running')
     group by q.queue
     order by q.queue;
end
$$;
