-- ----------------------------------------------------------------------
-- sys.gate_put(gate)
--
--      Sets a gate: how many jobs pass at once, how fast.  With neither slots
--      nor rate the gate is taken away.  Jobs that are inside stay there.
--
-- Returns:  scope; state: set or gone
-- Raises:   U0422 a member that is not known;
--           23502, 23514 a member that is missing or out of range
-- Writes:   podi.gate
-- Called:   whatever speaks for the operator
--
--      {scope, slots, reserve, rate, period_ms, burst}; see podi.gate
-- ----------------------------------------------------------------------
create or replace function sys.gate_put(
    i_gate  jsonb,
    out scope  text,
    out state  text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_gate  gate := jsonb_populate_record(null::gate,
                        jsonb '{"reserve": 0}' || i_gate);
    v_bad   text;
begin
    select k.name into v_bad
      from jsonb_object_keys(i_gate) k (name)
     where not to_jsonb(v_gate) ? k.name
     limit 1;
    if found then
        raise exception 'a gate has no such %', v_bad
              using errcode = 'U0422',
                    detail = json_build_object('field', v_bad);
    end if;

    scope := v_gate.scope;
    state := 'set';
    if v_gate.slots is null and v_gate.rate is null then
        delete from gate g where g.scope = v_gate.scope;
        state := 'gone';
        return;
    end if;

    insert into gate as g select v_gate.*
        on conflict on constraint gate_pkey do update
       set slots = excluded.slots, reserve = excluded.reserve,
           rate = excluded.rate, period_ms = excluded.period_ms,
           burst = excluded.burst;
end
$$;
