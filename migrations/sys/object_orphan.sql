-- ----------------------------------------------------------------------
-- sys.object_orphan(store, after, grace)
--
--      Sorts the oldest intents of a store that are older than grace, then
--      gives the next object that is to be removed, because attempts stored it
--      and no media will ever name it.  At most 20 are doomed at a time: nobody
--      may store them until they are gone.
--
-- Returns:  object_key, job_id: the first doomed object above after (NULL: the
--           first of all), or NULL; doomed: how many were found just now; more:
--           there are more to sort
-- Raises:   nothing
-- Writes:   podi.object_intent
-- Called:   podi_janitord
-- ----------------------------------------------------------------------
create or replace function sys.object_orphan(
    i_store     text,
    i_after     text,
    i_grace_ms  bigint,
    out object_key  text,
    out job_id      uuid,
    out doomed      int,
    out more        boolean)
language plpgsql security definer
set search_path = podi, pg_temp
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
    v_sorted  record;
    v_room    int;
begin
    select 20 - count(*) into v_room
      from (select distinct i.object_key
              from object_intent i
             where i.store = i_store and i.doomed_at is not null
             limit 20) d;

    v_sorted := internal.object_sort(i_store,
                now() - i_grace_ms * interval '1 millisecond', 500, v_room);
    doomed := v_sorted.o_doomed;
    more := v_sorted.o_moved = 500 or doomed > 0 and doomed = v_room;

    select i.object_key, i.job_id into object_key, job_id
      from object_intent i
     where i.store = i_store and i.doomed_at is not null
           and i.object_key > coalesce(i_after, '')
     order by i.object_key
     limit 1;
end
$$;
