-- ----------------------------------------------------------------------
-- sys.remote_left(queue, limit)
--
--      What ended jobs of a queue have left elsewhere, because nobody held them
--      when they ended: it is to be cancelled there.
--
-- Returns:  job_id, fence, provider, ref, remote, remote_state, state of the job
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what runs jobs elsewhere, now and then
-- ----------------------------------------------------------------------
create or replace function sys.remote_left(i_queue text, i_limit int)
returns table (
    job_id        uuid,
    fence         int,
    provider      text,
    ref           text,
    remote        jsonb,
    remote_state  text,
    state         text)
language plpgsql stable security definer
set search_path = podi, pg_temp
set enable_seqscan = off
as $$
begin
    return query
    select t.job_id, t.fence, t.provider, t.provider_ref, t.remote,
           t.remote_state, j.state
      from attempt t
      join job j on j.job_id = t.job_id and j.tenant_id = t.tenant_id
     where t.remote_state in ('intended', 'submitted')
           and j.settled_fence is not null and j.queue = i_queue
     limit i_limit;
end
$$;
