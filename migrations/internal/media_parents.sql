-- ----------------------------------------------------------------------
-- internal.media_parents(tenant, media)
--
--      What a media was made from.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb [media_id]
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.media_card, internal.task_results
-- ----------------------------------------------------------------------
create or replace function internal.media_parents(i_tenant uuid, i_media uuid)
returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(p.parent_id order by p.parent_id), '[]')
      from podi.media_parent p
     where p.tenant_id = i_tenant and p.media_id = i_media
$$;
