-- ----------------------------------------------------------------------
-- internal.job_is_quiet(job, fence, deferrals)
--
--      Was the job put off twice in a row before this attempt?  Then neither
--      its start nor its next deferral is told any more: job.deferrals counts
--      on, and the user knows that it is delayed.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  boolean
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.job_start, internal.job_requeue
-- ----------------------------------------------------------------------
create or replace function internal.job_is_quiet(
    i_job        uuid,
    i_fence      int,
    i_deferrals  int)
returns boolean
language plpgsql
as $$
begin
    if i_deferrals < 2 then
        return false;
    end if;

    return (select count(*) = 2
              from podi.attempt p
             where p.job_id = i_job
                   and p.fence between i_fence - 2 and i_fence - 1
                   and p.outcome = 'deferred');
end
$$;
