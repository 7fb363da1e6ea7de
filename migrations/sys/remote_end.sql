-- ----------------------------------------------------------------------
-- sys.remote_end(job, fence)
--
--      Nothing of an attempt is left elsewhere any more, and nobody waits for
--      it; see sys.remote_left.
--
-- Returns:  whether that was so, and open until now
-- Raises:   nothing
-- Writes:   podi.attempt
-- Called:   what runs jobs elsewhere, for what was left
-- ----------------------------------------------------------------------
create or replace function sys.remote_end(i_job uuid, i_fence int)
returns boolean
language plpgsql security definer
set search_path = podi, pg_temp
set enable_seqscan = off
as $$
begin
    update attempt t set remote_state = 'ended'
      from job j
     where t.job_id = i_job and t.fence = i_fence and t.outcome <> 'running'
           and j.job_id = t.job_id and j.tenant_id = t.tenant_id
           and (t.remote_state = 'left'
                or t.remote_state in ('intended', 'submitted')
                   and j.settled_fence is not null);
    return found;
end
$$;
