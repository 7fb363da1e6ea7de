-- ----------------------------------------------------------------------
-- internal.job_claims(ids, worker, lease)
--
--      Hands jobs to a worker and appends the events of that; see
--      internal.job_start.  The caller holds the locks of those of their tasks
--      that are 'queued'.  Runs as its caller; called only by functions that
--      pin search_path.
--
-- Returns:  podi.claim, _events all of them in the first row
-- Raises:   nothing
-- Writes:   podi.job, podi.attempt, podi.task_header, podi.user_head,
--           podi.user_event
-- Called:   sys.job_claim, sys.job_claim_next
-- ----------------------------------------------------------------------
create or replace function internal.job_claims(
    i_ids       uuid[],
    i_worker    text,
    i_lease_ms  bigint)
returns setof podi.claim
language plpgsql
as $$
declare
    v_made   record;
    v_claim  podi.claim;
begin
    v_made := internal.job_start(i_ids, i_worker, i_lease_ms);
    if v_made.claims is null then
        return;
    end if;

    v_made.events := internal.event_append_all(v_made.events);

    foreach v_claim in array v_made.claims loop
        v_claim._events := v_made.events;
        v_made.events := '[]';
        return next v_claim;
    end loop;
end
$$;
