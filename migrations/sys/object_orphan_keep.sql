-- ----------------------------------------------------------------------
-- sys.object_orphan_keep(store, key)
--
--      Notes that the store has refused to remove an object: it may be stored
--      again, and is looked at again when it is as old as a new one would be.
--      Not to be called when the store said nothing: it may still remove it.
--
-- Returns:  whether it was doomed
-- Raises:   nothing
-- Writes:   podi.object_intent
-- Called:   podi_janitord
-- ----------------------------------------------------------------------
create or replace function sys.object_orphan_keep(
    i_store  text,
    i_key    text)
returns boolean
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    update object_intent i
       set doomed_at = null, at = now()
     where i.object_key = i_key and i.store = i_store
           and i.doomed_at is not null;
    return found;
end
$$;
