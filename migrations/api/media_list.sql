-- ----------------------------------------------------------------------
-- api.media_list(after, limit, kind, state, type, task)
--
--      The caller's media, newest first; after is the last media_id of the
--      page before (ids ascend with time).  NULL filters nothing, except that
--      uploads that expired come only when asked for.
--
-- Returns:  media_id, kind, state, name, type, bytes, sha256, width, height,
--           task_id, job_id, parents jsonb [media_id], reject_code, created_at,
--           _store, _object_key, _thumb_key
-- Raises:   nothing of its own
-- Writes:   nothing
-- Called:   media/ngx_http_podi_media_list.c
-- ----------------------------------------------------------------------
create or replace function api.media_list(
    i_after  uuid,
    i_limit  int,
    i_kind   text,
    i_state  text,
    i_type   text,
    i_task   uuid)
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
     where m.tenant_id = internal.tenant() and m.user_id = internal.user_id()
           and (i_after is null or m.media_id < i_after)
           and (i_kind is null or m.kind = i_kind)
           and m.state = coalesce(i_state, nullif(m.state, 'expired'))
           and (i_type is null or m.type = i_type)
           and (i_task is null or m.task_id = i_task)
     order by m.media_id desc
     limit least(greatest(coalesce(i_limit, 50), 1), 1000);
end
$$;
