-- ----------------------------------------------------------------------
-- internal.queue_ahead(queue, priority, tenant, not_before, job)
--
--      How many due jobs of a queue wait before a job: of a better class, or
--      of its class and longer; up to 1000 of its tenant and 1000 of others.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  own, others
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.job_place
--
--      Of others no more is counted than that: turns decide who goes first,
--      so it is a bound and not a place.
-- ----------------------------------------------------------------------
create or replace function internal.queue_ahead(
    i_queue       text,
    i_priority    smallint,
    i_tenant      uuid,
    i_not_before  timestamptz,
    i_job         uuid,
    out own     int,
    out others  int)
language plpgsql
as $$
declare
    v_all  int;
begin
    select count(*) into own
      from (select 1
              from podi.job j
             where j.queue = i_queue and j.state = 'queued'
                   and j.priority <= i_priority and j.tenant_id = i_tenant
                   and (j.priority, j.not_before, j.job_id)
                       < (i_priority, i_not_before, i_job)
                   and j.not_before <= clock_timestamp()
             limit 1000) c;

    select count(*) into v_all
      from (select 1
              from podi.job j
             where j.queue = i_queue and j.state = 'queued'
                   and j.priority <= i_priority
                   and (j.priority, j.not_before, j.job_id)
                       < (i_priority, i_not_before, i_job)
                   and j.not_before <= clock_timestamp()
             limit 2000) c;
    others := least(1000, v_all - own);
end
$$;
