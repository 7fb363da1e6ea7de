-- ----------------------------------------------------------------------
-- internal.job_claimed(ids, events)
--
--      What a worker needs to know about the jobs that it was handed.
--      Runs as its caller; called only by functions that pin search_path.
--      The inputs are asked for twice, so that the media are found by their
--      ids also before the first ANALYZE, and not by walking the tenant's; the
--      limit does the same for the tasks.
--
-- Returns:  podi.claim
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.job_claim, sys.job_claim_next
-- ----------------------------------------------------------------------
drop function if exists internal.job_claimed(uuid[], jsonb);
create or replace function internal.job_claimed(i_ids uuid[], i_events jsonb)
returns setof podi.claim
language plpgsql
as $$
begin
    return query
    select j.job_id, j.fence, j.tenant_id, j.user_id, j.task_id, j.action,
           j.params,
           (select coalesce(jsonb_agg(jsonb_build_object(
                       'media_id', m.media_id, 'store', m.store,
                       'object_key', m.object_key, 'type', m.type,
                       'bytes', m.bytes, 'sha256', m.sha256, 'name', m.name)
                       order by i.ordinality), '[]')
              from unnest(j.inputs) with ordinality i (media_id, ordinality)
              join podi.media m
                on m.media_id = i.media_id and m.tenant_id = j.tenant_id
                   and m.media_id = any (j.inputs)),
           j.attempts, j.max_attempts, a.timeout_ms, j.price, t.trace_id, t.kind,
           j.priority, j.segment, j.checkpoint,
           internal.job_scopes(j.queue, j.action, j.tenant_id, j.user_id, a.gates),
           case when row_number() over (order by j.job_id) = 1
                then i_events else '[]' end
      from podi.job j
     cross join lateral (
           select h.* from podi.task_header h
            where h.task_id = j.task_id and h.tenant_id = j.tenant_id
            limit 1) t
      join podi.action a on a.action = j.action
     where j.job_id = any (i_ids)
     order by j.job_id;
end
$$;
