-- ----------------------------------------------------------------------
-- internal.job_files(tenant, inputs)
--
--      What a worker needs to know about the inputs of a job, in their order.
--      They are asked for twice, so that the media are found by their ids also
--      before the first ANALYZE, and not by walking the tenant's.
--      Inlined, so it carries no SET clause and names nothing that a search
--      path could change.
--
-- Returns:  inputs jsonb, as sys.job_claim gives them
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.job_start
-- ----------------------------------------------------------------------
create or replace function internal.job_files(i_tenant uuid, i_inputs uuid[])
returns table (inputs jsonb)
language sql stable
as $$
    select coalesce(jsonb_agg(jsonb_build_object(
               'media_id', m.media_id, 'store', m.store,
               'object_key', m.object_key, 'type', m.type, 'bytes', m.bytes,
               'sha256', m.sha256, 'name', m.name) order by i.ordinality), '[]')
      from unnest(i_inputs) with ordinality i (media_id, ordinality)
      join podi.media m
        on m.media_id = i.media_id and m.tenant_id = i_tenant
           and m.media_id = any (i_inputs)
$$;
