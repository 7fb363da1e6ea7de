-- ----------------------------------------------------------------------
-- sys.object_doomed(store, after, grace)
--
--      The next object of a store that is to be removed: of an upload that
--      was rejected or has expired.  Its permit to upload must have ended
--      grace ago, or a PUT that is still under way could bring it back.
--
-- Returns:  media_id, object_key: the first above after (NULL: the first of
--           all); no row when there is none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podi_janitord
-- ----------------------------------------------------------------------
create or replace function sys.object_doomed(
    i_store     text,
    i_after     uuid,
    i_grace_ms  bigint)
returns table (
    media_id    uuid,
    object_key  text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select m.media_id, m.object_key
      from media m
     where m.state in ('rejected', 'expired') and not m.object_gone
           and m.store = i_store
           and m.media_id > coalesce(i_after,
                                '00000000-0000-0000-0000-000000000000')
           and m.upload_expires_at
               <= now() - i_grace_ms * interval '1 millisecond'
     order by m.media_id
     limit 1;
end
$$;
