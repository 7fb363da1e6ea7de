-- ----------------------------------------------------------------------
-- sys.job_crashed(holders, patience)
--
--      Of these holders of slots, how many are gone: they could not give their
--      slots back, so finding them taken is no bug.
--
-- Returns:  int
-- Raises:   22P02 what is not of that form
-- Writes:   nothing
-- Called:   podi_dispatchd
--
--      holders: <job>:<n>@<worker>, a claim by a hint: gone is who was not seen
--      all the while, or whom the job was taken from; <job>:#<fence>, a claim
--      by the row: gone is whom the job was taken from, or who ended it and was
--      not seen all the while.
--      patience, in milliseconds: for so long the slots were nobody's.
-- ----------------------------------------------------------------------
drop function if exists sys.job_crashed(uuid[]);
create or replace function sys.job_crashed(i_holders text[], i_patience_ms bigint)
returns int
language plpgsql security definer
set search_path = podi, pg_temp
set enable_seqscan = off
as $$
declare
    v_alive  timestamptz := clock_timestamp() - i_patience_ms * interval '1 millisecond';
begin
    return (
    select count(*)
      from unnest(i_holders) h (holder)
     cross join lateral (
           select split_part(h.holder, ':', 1)::uuid as job_id,
                  substring(h.holder from '^[^:]*:#(\d+)$')::int as fence,
                  substring(h.holder from '^[^:]*:\d+@(.*)$') as worker) x
     where x.worker is not null
           and not exists (
                   select 1 from worker w
                    where w.worker = x.worker and w.seen_at > v_alive)
           or exists (
                   select 1 from attempt t
                    where t.job_id = x.job_id
                          and t.outcome in ('crashed', 'lost')
                          and (t.fence = x.fence or t.worker = x.worker))
           or exists (
                   select 1 from attempt t
                    where t.job_id = x.job_id and t.fence = x.fence
                          and t.outcome <> 'running'
                          and not exists (
                                  select 1 from worker w
                                   where w.worker = t.worker
                                         and w.seen_at > v_alive)));
end
$$;
