-- ----------------------------------------------------------------------
-- sys.attempt_remote(job, fence, state, provider, ref, remote, slots)
--
--      Notes where an attempt is, and under which id, before anything goes out
--      (intended), once it was taken (submitted), when its holder does not
--      wait for it any more (left), and when nothing is left to be looked for
--      (ended).  Earlier attempts of the job under the same id end: their place
--      is taken.
--
-- Returns:  ok; reason: NULL, or why nothing was written:
--           stale  the job is not this holder's any more
--           open   something else was submitted, or left, and has not ended
--           gone   the server is not there, or takes nothing new
--           full   so many other running attempts are at the server
-- Raises:   U0422 what is not of that form
-- Writes:   podi.attempt
-- Called:   what runs jobs elsewhere
--
--      slots: for a ComfyUI server, how many may be there at once; NULL: not
--      asked.  Who adopts is not asked, either: it is there already.  The row of
--      the server is the mutex of its slots.
--      The attempt is its holder's as long as it runs, so its row is the fence.
--      What stands there already is not written again: who asks once more, before
--      something goes out, need not wait for a disk.
-- ----------------------------------------------------------------------
create or replace function sys.attempt_remote(
    i_job       uuid,
    i_fence     int,
    i_state     text,
    i_provider  text,
    i_ref       text,
    i_remote    jsonb,
    i_slots     int,
    out ok      boolean,
    out reason  text)
language plpgsql security definer
set search_path = podi, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_bad  text := internal.remote_fault(i_state, i_provider, i_ref, i_remote);
begin
    if v_bad is not null then
        raise exception 'no such %', v_bad using errcode = 'U0422',
              detail = json_build_object('field', v_bad);
    end if;

    if i_slots is null and exists (
           select 1 from attempt t
            where t.job_id = i_job and t.fence = i_fence and t.outcome = 'running'
                  and t.remote_state = i_state and t.provider = i_provider
                  and t.provider_ref is not distinct from i_ref
                  and t.remote is not distinct from i_remote)
    then
        ok := true;
        return;
    end if;

    reason := internal.remote_room(i_job, i_fence, i_state, i_provider, i_ref,
                                   i_slots);
    if reason is null then
        update attempt t
           set remote_state = i_state, provider = i_provider,
               provider_ref = i_ref, remote = i_remote
         where t.job_id = i_job and t.fence = i_fence and t.outcome = 'running'
               and (coalesce(t.remote_state, 'ended') in ('intended', 'ended')
                    or i_state <> 'intended' and t.provider = i_provider
                       and t.provider_ref is not distinct from i_ref);
        if not found then
            reason := case when exists (
                      select 1 from attempt t
                       where t.job_id = i_job and t.fence = i_fence
                             and t.outcome = 'running')
                      then 'open' else 'stale' end;
        end if;
    end if;

    ok := reason is null;
    if ok then
        update attempt t set remote_state = 'ended'
         where t.job_id = i_job and t.fence < i_fence
               and t.provider = i_provider
               and t.provider_ref is not distinct from i_ref
               and t.remote_state in ('intended', 'submitted');
    end if;
end
$$;
