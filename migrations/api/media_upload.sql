-- ----------------------------------------------------------------------
-- api.media_upload(items, expires, key, hash)
--
--      Announces uploads: a media row each, waiting for its bytes.
--
-- Returns:  a row an item, in the order given: media_id, name, type, bytes,
--           state, created_at, upload_expires_at, is_new, _store, _object_key;
--           for a repeated key those of the first time, as they are now
-- Raises:   U0422 not 1 to 100 items, or one with a wrong value; detail field
--           U0441 a type that nothing here accepts; detail field
--           U0410 the key was used with another request
-- Writes:   podi.idempotency, podi.media
-- Called:   media/ngx_http_podi_media_uploads.c
--
--      items: [{media_id, object_key, store, name, type, bytes}]; expires in
--      milliseconds from now.
-- ----------------------------------------------------------------------
create or replace function api.media_upload(
    i_items       jsonb,
    i_expires_ms  bigint,
    i_key         text,
    i_hash        bytea)
returns table (
    media_id           uuid,
    name               text,
    type               text,
    bytes              bigint,
    state              text,
    created_at         timestamptz,
    upload_expires_at  timestamptz,
    is_new             boolean,
    _store             text,
    _object_key        text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_old  jsonb;
    v_ids  uuid[];
begin
    perform internal.enter('user', 'admin');

    v_old := internal.idem_begin('media.upload', i_key, i_hash);
    if v_old is null then
        perform internal.upload_check(i_items);

        insert into media (tenant_id, media_id, user_id, kind, state, name, type,
                           bytes, store, object_key, upload_expires_at)
        select internal.tenant(), x.media_id, internal.user_id(), 'upload',
               'pending', x.name, x.type, x.bytes, x.store, x.object_key,
               now() + i_expires_ms * interval '1 millisecond'
          from jsonb_to_recordset(i_items) x (media_id uuid, object_key text,
                    store text, name text, type text, bytes bigint);

        perform internal.idem_end('media.upload', i_key, jsonb_build_object(
            'media', jsonb_path_query_array(i_items, '$[*].media_id')));
    end if;

    select array_agg(e.value::uuid order by e.ordinality) into v_ids
      from jsonb_array_elements_text(coalesce(v_old -> 'media',
               jsonb_path_query_array(i_items, '$[*].media_id')))
           with ordinality e;

    return query
    select m.media_id, m.name, m.type, m.bytes, m.state, m.created_at,
           m.upload_expires_at, v_old is null, m.store, m.object_key
      from unnest(v_ids) with ordinality i (id, n)
      join media m
        on m.media_id = i.id and m.tenant_id = internal.tenant()
           and m.user_id = internal.user_id()
     order by i.n;
end
$$;
