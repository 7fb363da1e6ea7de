-- ----------------------------------------------------------------------
-- internal.object_is_lost(store, key, before)
--
--      Whether nobody will ever name this object: no media does, and whoever
--      intended it did so before then and does not hold his job any more.  One
--      statement, so that a settle is seen whole or not at all.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  boolean
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.object_sort
-- ----------------------------------------------------------------------
create or replace function internal.object_is_lost(
    i_store   text,
    i_key     text,
    i_before  timestamptz)
returns boolean
language sql stable
as $$
    select not exists (
           select 1 from podi.object_intent i
            where i.object_key = i_key and i.store = i_store
              and (i.at > i_before
                   or exists (select 1 from podi.job j
                               where j.job_id = i.job_id
                                 and j.tenant_id = i.tenant_id
                                 and j.fence = i.fence and j.state = 'running')))
       and not internal.object_is_named(i_store, i_key)
$$;
