-- ----------------------------------------------------------------------
-- sys.gates()
--
--      The gates there are, for Redis: how many jobs pass at once, how fast.
--
-- Returns:  scope, slots, reserve, rate, period_ms, burst; NULL: no bound
-- Raises:   nothing
-- Writes:   nothing
-- Called:   whatever keeps the gates in Redis
--
--      slots 0 is a gate that is shut: the queue is paused.
--      A scope tenant:<id> or user:<id> is bounded by the first of these that
--      is there: its own row; tenant:*@<plan>, user:*@<plan>, the bound of
--      the tenant's plan; tenant:*, user:*.  What a gate keeps in reserve is
--      for priority 0.
-- ----------------------------------------------------------------------
create or replace function sys.gates()
returns table (
    scope      text,
    slots      int,
    reserve    int,
    rate       int,
    period_ms  bigint,
    burst      int)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select coalesce(g.scope, 'queue:' || q.queue),
           case q.state when 'paused' then 0 else g.slots end,
           case q.state when 'paused' then 0 else coalesce(g.reserve, 0) end,
           g.rate, g.period_ms, g.burst
      from gate g
      full join (select t.queue, t.state from queue_type t
                  where t.state = 'paused') q on g.scope = 'queue:' || q.queue
    union all
    select v.scope, v.slots, 0, null, null, null
      from plan p
     cross join lateral (
           values ('tenant:*@' || p.plan, p.tenant_slots),
                  ('user:*@' || p.plan, p.user_slots)) v (scope, slots)
     where v.slots is not null
     order by 1;
end
$$;
