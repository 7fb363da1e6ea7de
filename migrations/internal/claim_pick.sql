-- ----------------------------------------------------------------------
-- internal.claim_pick(queue, n, limit)
--
--      Chooses the jobs that a worker gets without Redis: in fair order, of
--      those that every gate lets pass, and locks them with their tasks and
--      the heads of their users.  What is locked is passed over: nothing is
--      waited for but the others who choose, because the slots that are left
--      are counted, and who counts must not be overtaken.  What waits is not
--      looked at when a gate that all must pass is full.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  uuid[]
-- Raises:   nothing
-- Writes:   podi.queue_turn
-- Called:   sys.job_claim_next
-- ----------------------------------------------------------------------
create or replace function internal.claim_pick(
    i_queue  text,
    i_n      int,
    i_limit  int)
returns uuid[]
language plpgsql
as $$
declare
    v_load   record;
    v_own    text := 'queue:' || i_queue;
    v_every  text[] := array['global', v_own];
    v_job    record;
    v_gate   text;
    v_shut   text[] := '{}';
    v_all    text[] := '{}';
    v_more   jsonb := '{}';
    v_picks  jsonb := '[]';
    v_ids    uuid[] := '{}';
    v_known  int;
begin
    perform pg_advisory_xact_lock(hashtextextended('podi.claim', 0));

    v_load := internal.gate_load();
    v_load.gates := v_load.gates || jsonb_build_object(v_own, jsonb_build_array(
        least(i_limit, (v_load.gates #>> array[v_own, '0'])::int),
        coalesce((v_load.gates #>> array[v_own, '1'])::int, 0)));

    for v_round in 1 .. 8 loop
        exit when exists (select from internal.gate_shut(v_load.gates,
                              v_load.taken, v_more, v_every, null, 0));
        v_shut := v_shut || array(
            select g.scope from internal.gate_shut(v_load.gates, v_load.taken,
                                    v_more, v_every, null, 1) g);
        v_known := cardinality(v_all) + cardinality(v_shut);
        for v_job in
            select c.* from internal.claim_order(i_queue, i_n, v_all, v_shut) c
        loop
            exit when jsonb_array_length(v_picks) >= i_n;
            continue when v_job.job_id = any (v_ids) or v_job.scopes && v_all
                          or (v_job.priority > 0 and v_job.scopes && v_shut);

            select g.scope into v_gate
              from internal.gate_shut(v_load.gates, v_load.taken, v_more,
                       v_job.scopes, v_job.plan, v_job.priority) g;
            if not found then
                continue when not internal.claim_lock(v_job.tenant_id,
                    v_job.task_id, v_job.job_id, v_job.user_id);
                v_ids := v_ids || v_job.job_id;
                v_picks := v_picks || to_jsonb(v_job);
                v_more := v_more || (
                    select jsonb_object_agg(s.scope,
                               coalesce((v_more ->> s.scope)::int, 0) + 1)
                      from unnest(v_job.scopes) s (scope));
            elsif v_job.priority > 0 then
                v_shut := v_shut || v_gate;
            else
                v_all := v_all || v_gate;
            end if;
        end loop;

        -- who stood behind those at the gates that were found shut is next
        exit when jsonb_array_length(v_picks) >= i_n
                  or cardinality(v_all) + cardinality(v_shut) = v_known;
    end loop;

    return internal.claim_turn(i_queue, v_picks);
end
$$;
