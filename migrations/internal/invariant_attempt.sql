-- ----------------------------------------------------------------------
-- internal.invariant_attempt(from, to)
--
--      Whether attempts, of the jobs behind from and up to to, have their job.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.invariant_part
-- ----------------------------------------------------------------------
create or replace function internal.invariant_attempt(
    i_from  podi.row_place,
    i_to    podi.row_place)
returns table (inv text, id text)
language sql stable
as $$
    select 'I18 attempt without its job', a.job_id::text
      from podi.attempt a
      left join podi.job j
        on j.job_id = a.job_id and j.tenant_id = a.tenant_id
     where a.job_id > (i_from).a and a.job_id <= (i_to).a
           and j.job_id is null
$$;
