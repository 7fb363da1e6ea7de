-- ----------------------------------------------------------------------
-- sys.job_crashed(ids)
--
--      Of these jobs, how many lost their last holder: he could not give back
--      the slots of his gates, so finding them taken is no bug.
--
-- Returns:  int
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podi_dispatchd
-- ----------------------------------------------------------------------
create or replace function sys.job_crashed(i_ids uuid[])
returns int
language plpgsql security definer
set search_path = podi, pg_temp
set enable_seqscan = off
as $$
begin
    return (
    select count(*)
      from unnest(i_ids) i (id)
     cross join lateral (
           select t.outcome from attempt t
            where t.job_id = i.id
            order by t.fence desc
            limit 1) l
     where l.outcome in ('crashed', 'lost'));
end
$$;
