-- ----------------------------------------------------------------------
-- sys.job_pushed(ids)
--
--      Notes that these jobs are about to be pushed.  A job that is not queued
--      any more, or that was put back for later, is left alone: its hint is
--      spent, and the next dispatch must see it when it is due.
--
-- Returns:  how many were noted
-- Raises:   nothing
-- Writes:   podi.job
-- Called:   podi_dispatchd
--
--      Passes over locked jobs: whoever holds them is about to change them.
--      Losing the note costs one push more, so the commit does not wait for
--      the disk.
-- ----------------------------------------------------------------------
create or replace function sys.job_pushed(i_ids uuid[])
returns bigint
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_n  bigint;
begin
    perform set_config('synchronous_commit', 'off', true);

    with c as (
        select j.tenant_id, j.job_id
          from job j
         where j.job_id = any (i_ids)
               and j.state not in ('blocked', 'running', 'succeeded', 'failed',
                                   'cancelled')
               and j.not_before <= clock_timestamp()
         order by j.job_id
           for no key update skip locked
    ), u as (
        update job j
           set pushed_at = clock_timestamp()
          from c
         where j.job_id = c.job_id and j.tenant_id = c.tenant_id
        returning 1
    )
    select count(*) into v_n from u;
    return v_n;
end
$$;
