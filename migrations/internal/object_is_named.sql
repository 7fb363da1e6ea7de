-- ----------------------------------------------------------------------
-- internal.object_is_named(store, key)
--
--      Whether a media has this object, or has it as its thumbnail.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  boolean
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.object_is_lost, internal.object_sort
-- ----------------------------------------------------------------------
create or replace function internal.object_is_named(
    i_store  text,
    i_key    text)
returns boolean
language sql stable
as $$
    select exists (select 1 from podi.media m
                    where m.object_key = i_key and m.store = i_store)
        or exists (select 1 from podi.media m
                    where m.thumb_key = i_key and m.store = i_store)
$$;
