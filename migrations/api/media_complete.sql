-- ----------------------------------------------------------------------
-- api.media_complete(media, task, job, observed, trace)
--
--      The bytes are there: the upload is handed to the check, which runs as a
--      task of the system (ids passed in) that nobody pays for or sees.  Asked
--      again, it answers what the media is by now.  What the store observed
--      (null: it could not say) is held against what was declared; if it
--      differs the media is rejected at once.
--
-- Returns:  media_id, kind, state, name, type, bytes, sha256, width, height,
--           task_id, job_id, parents, reject_code, created_at, _store,
--           _object_key, _thumb_key, _hints jsonb (see sys.job_dispatch),
--           _events jsonb
-- Raises:   U0404 no such media; U0444 the upload has expired
-- Writes:   podi.media, podi.task_header, podi.job, podi.user_head,
--           podi.user_event
-- Called:   media/ngx_http_podi_media_complete.c
--
--      observed: {bytes, sha256, type}, each may be missing.
-- ----------------------------------------------------------------------
create or replace function api.media_complete(
    i_media     uuid,
    i_task      uuid,
    i_job       uuid,
    i_observed  jsonb,
    i_trace     text)
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
    _thumb_key   text,
    _hints       jsonb,
    _events      jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_media   media;
    v_fault   text;
    v_hints   jsonb := '[]';
    v_events  jsonb := '[]';
begin
    perform internal.enter('user', 'admin');

    select m.* into v_media
      from media m
     where m.media_id = i_media and m.tenant_id = internal.tenant()
           and m.user_id = internal.user_id()
       for no key update;
    if not found then
        raise exception 'no media %', i_media using errcode = 'U0404';
    end if;
    if v_media.state = 'expired'
       or (v_media.state = 'pending' and v_media.upload_expires_at <= now())
    then
        raise exception 'the upload has expired' using errcode = 'U0444';
    end if;

    if v_media.state = 'pending' then
        update media m
           set state = 'checking',
               sha256 = coalesce(lower(i_observed ->> 'sha256'), m.sha256)
         where m.media_id = i_media and m.tenant_id = internal.tenant();

        v_fault := case
            when i_observed ->> 'type' <> v_media.type then 'media_type'
            when (i_observed ->> 'bytes')::bigint > v_media.bytes
                                                       then 'media_too_large'
            when (i_observed ->> 'bytes')::bigint < v_media.bytes
                                                       then 'picture_invalid' end;
        if v_fault is null then
            v_hints := internal.check_task_make(i_media, i_task, i_job, i_trace);
        else
            v_events := internal.event_append_all(internal.media_checked(
                            v_media.tenant_id, i_media, jsonb_build_object(
                            'verdict', 'rejected', 'reject_code', v_fault)));
        end if;
    end if;

    return query
    select c.*, v_hints, v_events
      from media m
     cross join lateral internal.media_card(m) c
     where m.media_id = i_media and m.tenant_id = internal.tenant();
end
$$;
