-- ----------------------------------------------------------------------
-- internal.media_card(media)
--
--      A media as its owner is shown it.  Inlined, so it carries no SET clause.
--
-- Returns:  media_id, kind, state, name, type, bytes, sha256, width, height,
--           task_id, job_id, parents jsonb [media_id], reject_code, created_at,
--           _store, _object_key, _thumb_key
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.media_complete, api.media_list, api.media_read
-- ----------------------------------------------------------------------
create or replace function internal.media_card(m podi.media)
returns setof podi.media_card
language sql stable
as $$
    select m.media_id, m.kind, m.state, m.name, m.type, m.bytes, m.sha256,
           m.width, m.height, m.task_id, m.job_id,
           internal.media_parents(m.tenant_id, m.media_id), m.reject_code,
           m.created_at, m.store, m.object_key, m.thumb_key
$$;
