-- ----------------------------------------------------------------------
-- internal.settle_judge(settles)
--
--      Reads what a worker says about jobs, and holds it against them.  The
--      caller holds the locks of the tasks and the jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  podi.job_end[] in the order given; verdict NULL: to be done; else
--           ALREADY, MISMATCH, STALE or REFUSED, and then code and detail say
--           why
-- Raises:   22P02 what is not of that form
-- Writes:   nothing
-- Called:   sys.job_settle
-- ----------------------------------------------------------------------
create or replace function internal.settle_judge(i_settles jsonb)
returns podi.job_end[]
language plpgsql
as $$
declare
    v_ends  podi.job_end[];
begin
    select array_agg((i.ord, i.job_id, i.state, i.state, 0,
               i.state = 'cancelled' and j.cancel_requested
               and j.cancel = 'full', false, i.results,
               '[]', i.digest,
               case v.verdict when 'REFUSED' then 'bad_field' else i.code end,
               case v.verdict when 'REFUSED' then j.fault else i.detail end,
               i.usage, i.cost_micros, v.verdict, j.task_state)::podi.job_end
               order by i.ord)
      into v_ends
      from (select x.*, nullif(x.given, '[]') as results,
                   sha256(convert_to(nullif(x.given, '[]')::text, 'UTF8'))
                       as digest,
                   case x.state
                   when 'failed'    then coalesce(x.error_code, 'internal')
                   when 'cancelled' then coalesce(x.error_code, 'job_cancelled')
                   end as code, left(x.error_detail, 1000) as detail,
                   row_number() over (partition by x.job_id, x.fence
                                      order by x.ord) as nth
              from rows from (jsonb_to_recordset(i_settles)
                              as (job_id uuid, fence int, state text,
                                  results jsonb, error_code text,
                                  error_detail text, usage jsonb,
                                  cost_micros bigint)) with ordinality
                   as x (job_id, fence, state, given, error_code, error_detail,
                         usage, cost_micros, ord)) i
      left join lateral (
           select q.fence, q.lease_until, q.settled_fence, q.state,
                  q.results_digest, q.error_code, q.cancel_requested,
                  q.terms ->> 'cancel' as cancel,
                  t.state as task_state,
                  internal.settle_fault(i.state, i.results, i.usage,
                      i.cost_micros, q.action, a.outputs) as fault
             from podi.job q
             join podi.action a on a.action = q.action
            cross join lateral (
                  select h.state from podi.task_header h
                   where h.task_id = q.task_id and h.tenant_id = q.tenant_id
                   limit 1) t
            where q.job_id = i.job_id
            limit 1) j on true
     cross join lateral (
           select case
                  when i.nth > 1                           then 'REFUSED'
                  when j.fence = i.fence and j.lease_until is not null
                  then case when j.fault is not null       then 'REFUSED' end
                  when j.settled_fence is distinct from i.fence then 'STALE'
                  when (j.state, j.results_digest, j.error_code)
                       is not distinct from (i.state, i.digest, i.code)
                                                           then 'ALREADY'
                  else                                          'MISMATCH'
                  end as verdict) v;

    return coalesce(v_ends, '{}');
end
$$;
