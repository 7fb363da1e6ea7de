-- ----------------------------------------------------------------------
-- sys.upload_expire(limit)
--
--      Gives up uploads that were announced and never completed in time.  What
--      may be in the store is removed later, by sys.object_doomed.
--
-- Returns:  media_id, store, object_key, state
-- Raises:   nothing
-- Writes:   podi.media
-- Called:   podi_janitord
-- ----------------------------------------------------------------------
create or replace function sys.upload_expire(i_limit int)
returns table (
    media_id    uuid,
    store       text,
    object_key  text,
    state       text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    with c as (
        select m.tenant_id, m.media_id
          from media m
         where m.state = 'pending' and m.upload_expires_at <= now()
         order by m.upload_expires_at
         limit i_limit
           for no key update skip locked
    )
    update media m
       set state = 'expired'
      from c
     where m.media_id = c.media_id and m.tenant_id = c.tenant_id
    returning m.media_id, m.store, m.object_key, m.state;
end
$$;
