-- ----------------------------------------------------------------------
-- internal.gate_shut(gates, taken, more, scopes, plan, priority)
--
--      The gate that keeps a job out.  Of a tenant's or a user's gate counts
--      its own, else that of the plan, else the star.  What is kept in reserve
--      is for priority 0.
--
-- Returns:  scope, slots (those that the job may use), running, of the first
--           gate that is full; no row when all let it pass
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.claim_pick, sys.job_place
--
--      gates, taken: see internal.gate_load.  more: {scope: jobs} that were let
--      in since.
-- ----------------------------------------------------------------------
create or replace function internal.gate_shut(
    i_gates     jsonb,
    i_taken     jsonb,
    i_more      jsonb,
    i_scopes    text[],
    i_plan      text,
    i_priority  int)
returns table (scope text, slots int, running int)
language sql immutable
as $$
    select s.scope, v.slots, v.running
      from unnest(i_scopes) with ordinality s (scope, n)
     cross join lateral (
           select split_part(s.scope, ':', 1) || ':*' as star) k
     cross join lateral (
           select coalesce(i_gates -> s.scope,
                           i_gates -> (k.star || '@' || i_plan),
                           i_gates -> k.star) as gate) g
     cross join lateral (
           select (g.gate ->> 0)::int
                  - case i_priority when 0 then 0
                    else (g.gate ->> 1)::int end as slots,
                  coalesce((i_taken ->> s.scope)::int, 0)
                  + coalesce((i_more ->> s.scope)::int, 0) as running) v
     where v.running >= v.slots
     order by s.n
     limit 1
$$;
