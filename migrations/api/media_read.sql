-- ----------------------------------------------------------------------
-- api.media_read(media)
--
--      One media of the caller.
--
-- Returns:  the columns of api.media_list; no row when there is no such media
-- Raises:   nothing of its own
-- Writes:   nothing
-- Called:   media/ngx_http_podi_media_complete.c,
--           media/ngx_http_podi_media_read.c
-- ----------------------------------------------------------------------
create or replace function api.media_read(i_media uuid)
returns table (
    media_id     uuid,
    kind         text,
    state        text,
    name         text,
    type         text,
    bytes        bigint,
    sha256       text,
    width        int,
    height       int,
    task_id      uuid,
    job_id       uuid,
    parents      jsonb,
    reject_code  text,
    created_at   timestamptz,
    _store       text,
    _object_key  text,
    _thumb_key   text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin');

    return query
    select m.media_id, m.kind, m.state, m.name, m.type, m.bytes, m.sha256,
           m.width, m.height, m.task_id, m.job_id,
           internal.media_parents(m.tenant_id, m.media_id), m.reject_code,
           m.created_at, m.store, m.object_key, m.thumb_key
      from media m
     where m.media_id = i_media and m.tenant_id = internal.tenant()
           and m.user_id = internal.user_id();
end
$$;
