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
    return query select g.* from internal.gate_list() g;
end
$$;
