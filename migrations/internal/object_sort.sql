-- ----------------------------------------------------------------------
-- internal.object_sort(store, before, limit, dooms)
--
--      Looks at the oldest intents of before then: forgets those whose objects
--      a media names, and dooms the objects that nobody will name, so many.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  o_doomed objects; o_moved intents, forgotten or doomed
-- Raises:   nothing
-- Writes:   podi.object_intent
-- Called:   sys.object_orphan
--
--      The lock of a key comes before the statement that judges it: who intends
--      the object after that finds it doomed.  Ascending, as there are several.
-- ----------------------------------------------------------------------
create or replace function internal.object_sort(
    i_store   text,
    i_before  timestamptz,
    i_limit   int,
    i_dooms   int,
    out o_doomed  int,
    out o_moved   int)
language plpgsql
set enable_bitmapscan = off
set enable_sort = off
as $$
declare
    v_keys  text[];
    v_lost  text[];
begin
    select array_agg(distinct q.object_key order by q.object_key) into v_keys
      from (select i.object_key
              from podi.object_intent i
             where i.store = i_store and i.at <= i_before
                   and i.doomed_at is null
             order by i.at
             limit i_limit) q;

    delete from podi.object_intent i
     where i.object_key = any (v_keys) and i.store = i_store
           and i.at <= i_before
           and internal.object_is_named(i_store, i.object_key);
    get diagnostics o_moved = row_count;

    select array_agg(l.object_key order by l.object_key) into v_lost
      from (select k.object_key
              from unnest(v_keys) k (object_key)
             where internal.object_is_lost(i_store, k.object_key, i_before)
             limit i_dooms) l;

    perform pg_advisory_xact_lock(hashtextextended(k.object_key, 16))
       from unnest(v_lost) k (object_key);

    with gone as (
        update podi.object_intent i
           set doomed_at = now()
         where i.object_key = any (v_lost) and i.store = i_store
               and internal.object_is_lost(i_store, i.object_key, i_before)
        returning i.object_key)
    select count(distinct g.object_key), o_moved + count(*)
      into o_doomed, o_moved
      from gone g;
end
$$;
