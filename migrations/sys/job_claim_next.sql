-- ----------------------------------------------------------------------
-- sys.job_claim_next(queue, n, worker, lease, limit)
--
--      The claim for the time without Redis: the oldest due jobs of a queue,
--      at most n, and never more than limit running in that queue.
--
-- Returns:  the columns of sys.job_claim
-- Raises:   nothing
-- Writes:   podi.job, podi.attempt, podi.task_header, podi.user_head,
--           podi.user_event
-- Called:   workers/skeleton
--
--      Here jobs are locked before their tasks.  That cannot deadlock,
--      because nothing is waited for: what is locked is passed over.
-- ----------------------------------------------------------------------
create or replace function sys.job_claim_next(
    i_queue     text,
    i_n         int,
    i_worker    text,
    i_lease_ms  bigint,
    i_limit     int)
returns table (
    job_id        uuid,
    fence         int,
    tenant_id     uuid,
    user_id       uuid,
    task_id       uuid,
    action        text,
    params        jsonb,
    inputs        jsonb,
    attempts      smallint,
    max_attempts  smallint,
    timeout_ms    bigint,
    price         bigint,
    trace_id      text,
    kind          text,
    _events       jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_now     timestamptz;
    v_room    int;
    v_ids     uuid[];
    v_events  jsonb;
begin
    -- the limit is exact: who counts must not be overtaken
    perform pg_advisory_xact_lock(hashtextextended('podi.claim.' || i_queue, 0));

    select i_limit - count(*) into v_room
      from job j
     where j.state = 'running' and j.queue = i_queue;
    if v_room <= 0 then
        return;
    end if;

    -- read once, and after the wait: an index cannot be searched for a
    -- function that is volatile
    v_now := clock_timestamp();

    with c as (
        select j.job_id, j.task_id, j.tenant_id
          from job j
         where j.state = 'queued' and j.queue = i_queue
               and j.not_before <= v_now
               and j.start_by > v_now
         order by j.not_before, j.job_id
         limit least(i_n, v_room)
           for no key update skip locked
    ), t as (
        select h.task_id, h.tenant_id
          from task_header h
         where (h.task_id, h.tenant_id) in
               (select c.task_id, c.tenant_id from c)
         order by h.task_id, h.tenant_id
           for no key update skip locked
    )
    select array_agg(c.job_id) into v_ids
      from c
      join t on t.task_id = c.task_id and t.tenant_id = c.tenant_id;

    select s.ids, s.events into v_ids, v_events
      from internal.job_start(v_ids, i_worker, i_lease_ms) s;
    if v_ids = '{}' then
        return;
    end if;

    v_events := internal.event_append_all(v_events);

    return query select c.* from internal.job_claimed(v_ids, v_events) c;
end
$$;
