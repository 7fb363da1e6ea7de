-- ----------------------------------------------------------------------
-- internal.gate_load()
--
--      The gates as two objects, for who asks many times: how many slots each
--      has, and how many are taken, counted from what runs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  gates jsonb {scope: [slots, reserve]}, see sys.gates;
--           taken jsonb {scope: jobs}
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.claim_pick, sys.job_place
-- ----------------------------------------------------------------------
create or replace function internal.gate_load(
    out gates  jsonb,
    out taken  jsonb)
language plpgsql
as $$
begin
    select coalesce(jsonb_object_agg(g.scope,
                        jsonb_build_array(g.slots, g.reserve)), '{}')
      into gates
      from internal.gate_list() g
     where g.slots is not null;

    select coalesce(jsonb_object_agg(r.scope, r.n), '{}') into taken
      from (select s.scope, count(*) as n
              from podi.job j
              join podi.action a on a.action = j.action
             cross join lateral unnest(internal.job_scopes(j.queue, j.action,
                   j.tenant_id, j.user_id, a.gates)) s (scope)
             where j.state = 'running'
             group by s.scope) r;
end
$$;
