-- ----------------------------------------------------------------------
-- internal.attempt_used(ids, usages, costs)
--
--      Notes what running attempts have used of what is metered, and what the
--      provider asks for it, when their holder gives the jobs up: paid work is
--      paid work, also when nothing came of it.  What is not of that form is
--      left out, because it must not keep a job from being given up.  The
--      caller holds the locks of the jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   podi.attempt
-- Called:   sys.job_retry, sys.job_return
--
--      usages: [{calls, tokens, steps} or null], costs: millionths; one for
--      each id, or NULL.
-- ----------------------------------------------------------------------
create or replace function internal.attempt_used(
    i_ids     uuid[],
    i_usages  jsonb,
    i_costs   bigint[])
returns void
language plpgsql
as $$
begin
    if i_usages is null and i_costs is null then
        return;
    end if;

    update podi.attempt t
       set usage = t.usage || case jsonb_typeof(g.usage) when 'object'
                              then g.usage else '{}' end,
           cost_micros = case when g.cost >= 0 then g.cost
                         else t.cost_micros end
      from (select j.tenant_id, j.job_id, j.fence,
                   i_usages -> (x.n - 1)::int as usage, i_costs[x.n] as cost
              from unnest(i_ids) with ordinality x (job_id, n)
              join podi.job j on j.job_id = x.job_id) g
     where t.job_id = g.job_id and t.fence = g.fence
           and t.tenant_id = g.tenant_id and t.outcome = 'running';
end
$$;
