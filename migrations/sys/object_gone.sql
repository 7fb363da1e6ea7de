-- ----------------------------------------------------------------------
-- sys.object_gone(media)
--
--      Notes that the store has no object for a rejected or expired upload any
--      more.  To be called after the store said so, never before: whoever
--      crashes between the two removes it again.
--
-- Returns:  whether that is news
-- Raises:   nothing
-- Writes:   podi.media
-- Called:   podi_janitord
-- ----------------------------------------------------------------------
create or replace function sys.object_gone(i_media uuid)
returns boolean
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    update media m
       set object_gone = true
     where m.media_id = i_media and m.state in ('rejected', 'expired')
           and not m.object_gone;
    return found;
end
$$;
