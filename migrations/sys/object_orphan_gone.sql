-- ----------------------------------------------------------------------
-- sys.object_orphan_gone(store, key)
--
--      Notes that the store has no object of this key any more.  To be called
--      after the store said so, never before: whoever crashes between the two
--      removes it again.
--
-- Returns:  whether it was doomed
-- Raises:   nothing
-- Writes:   podi.object_intent
-- Called:   podi_janitord
-- ----------------------------------------------------------------------
create or replace function sys.object_orphan_gone(
    i_store  text,
    i_key    text)
returns boolean
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    delete from object_intent i
     where i.object_key = i_key and i.store = i_store
           and i.doomed_at is not null;
    return found;
end
$$;
