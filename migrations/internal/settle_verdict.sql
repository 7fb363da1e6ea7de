-- ----------------------------------------------------------------------
-- internal.settle_verdict(job, fence, state, charge, digest, error_code)
--
--      Says why a settle did not find its job running under its fence: it was
--      settled before in the same way (a lost answer, sent again), in another
--      way, or the fence belongs to somebody else by now.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  verdict ALREADY, MISMATCH or STALE; task_state, NULL for no job
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.job_settle
-- ----------------------------------------------------------------------
create or replace function internal.settle_verdict(
    i_job         uuid,
    i_fence       int,
    i_state       text,
    i_charge      bigint,
    i_digest      bytea,
    i_error_code  text,
    out verdict     text,
    out task_state  text)
language plpgsql
as $$
begin
    select case
           when j.settled_fence is distinct from i_fence then 'STALE'
           when j.state = i_state
                and j.charged = coalesce(i_charge, case when i_state = 'succeeded'
                                                   then j.price else 0 end)
                and j.results_digest is not distinct from i_digest
                and j.error_code is not distinct from i_error_code
                                                     then 'ALREADY'
           else 'MISMATCH' end, t.state
      into verdict, task_state
      from podi.job j
      join podi.task_header t
        on t.task_id = j.task_id and t.tenant_id = j.tenant_id
     where j.job_id = i_job;

    verdict := coalesce(verdict, 'STALE');
end
$$;
