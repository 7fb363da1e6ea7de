-- ----------------------------------------------------------------------
-- internal.gate_list()
--
--      The gates there are: how many jobs pass at once, how fast.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the columns of sys.gates
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.gates, internal.gate_load
-- ----------------------------------------------------------------------
create or replace function internal.gate_list()
returns table (
    scope      text,
    slots      int,
    reserve    int,
    rate       int,
    period_ms  bigint,
    burst      int)
language sql stable
as $$
    select coalesce(g.scope, 'queue:' || q.queue),
           case q.state when 'paused' then 0 else g.slots end,
           case q.state when 'paused' then 0 else coalesce(g.reserve, 0) end,
           g.rate, g.period_ms, g.burst
      from podi.gate g
      full join (select t.queue, t.state from podi.queue_type t
                  where t.state = 'paused') q on g.scope = 'queue:' || q.queue
    union all
    select v.scope, v.slots, 0, null, null, null
      from podi.plan p
     cross join lateral (
           values ('tenant:*@' || p.plan, p.tenant_slots),
                  ('user:*@' || p.plan, p.user_slots)) v (scope, slots)
     where v.slots is not null
     order by 1
$$;
