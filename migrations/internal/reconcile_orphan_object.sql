-- ----------------------------------------------------------------------
-- internal.reconcile_orphan_object(limit)
--
--      R10: objects that were doomed an hour ago and are still there.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  kind (object), id (key), detail {store, job_id, doomed}
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.reconcile
-- ----------------------------------------------------------------------
create or replace function internal.reconcile_orphan_object(i_limit int)
returns table (kind text, id text, detail jsonb)
language sql stable
as $$
    select 'object', i.object_key,
           jsonb_build_object('store', i.store, 'job_id', i.job_id,
                              'doomed', i.doomed_at)
      from podi.object_intent i
     where i.doomed_at is not null
           and i.doomed_at < now() - interval '1 hour'
     limit i_limit
$$;
