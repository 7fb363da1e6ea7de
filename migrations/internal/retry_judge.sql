-- ----------------------------------------------------------------------
-- internal.retry_judge(retries)
--
--      Reads which jobs holders could not end, and holds it against them.  The
--      caller holds the locks of the tasks and the jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job_back[] in the order given; verdict NULL: to be done; else
--           ALREADY or STALE
-- Raises:   22P02 what is not of that form; U0400 another kind, or a negative
--           delay
-- Writes:   nothing
-- Called:   sys.job_retry
-- ----------------------------------------------------------------------
create or replace function internal.retry_judge(i_retries jsonb)
returns podi.job_back[]
language plpgsql
as $$
declare
    v_backs  podi.job_back[];
    v_bad    int;
begin
    select array_agg((i.ord, i.job_id, i.kind,
               i.delay_ms * interval '1 millisecond', i.error_code,
               i.error_detail, i.usage, i.cost_micros, v.verdict)::podi.job_back
               order by i.ord),
           count(*) filter (where i.kind not in ('attempt', 'deferral', 'return')
                                  or i.kind is null or i.delay_ms < 0
                                  or i.delay_ms is null)
      into v_backs, v_bad
      from (select x.*, row_number() over (partition by x.job_id, x.fence
                                           order by x.ord) as nth
              from rows from (jsonb_to_recordset(i_retries)
                              as (job_id uuid, fence int, kind text,
                                  delay_ms bigint, error_code text,
                                  error_detail text, usage jsonb,
                                  cost_micros bigint)) with ordinality
                   as x (job_id, fence, kind, delay_ms, error_code,
                         error_detail, usage, cost_micros, ord)) i
      left join lateral (
           select q.fence, q.state
             from podi.job q
            where q.job_id = i.job_id
            limit 1) j on true
     cross join lateral (
           select case
                  when j.state = 'running' and j.fence = i.fence
                  then case when i.nth > 1 then 'ALREADY' end
                  when exists (
                       select 1 from podi.attempt a
                        where a.job_id = i.job_id and a.fence = i.fence
                              and a.outcome in ('retried', 'deferred', 'returned',
                                                'failed', 'cancelled'))
                  then 'ALREADY' else 'STALE'
                  end as verdict) v;

    if v_bad > 0 then
        raise exception 'no such retry' using errcode = 'U0400';
    end if;

    return coalesce(v_backs, '{}');
end
$$;
