-- ----------------------------------------------------------------------
-- internal.media_checked(tenant, media, verdict)
--
--      Writes what the check found about an upload.  Only an upload that is
--      being checked changes; then its owner is told.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, [] or [event]: media.ready or media.rejected, with
--           tenant_id and user_id for event_append_all
-- Raises:   23514 a verdict that is neither ready nor rejected
-- Writes:   podi.media
-- Called:   internal.job_end_effects, api.media_complete
--
--      verdict: {verdict, reject_code, type, width, height, bytes, sha256,
--      thumb_key, thumb_bytes}
-- ----------------------------------------------------------------------
create or replace function internal.media_checked(
    i_tenant   uuid,
    i_media    uuid,
    i_verdict  jsonb)
returns jsonb
language plpgsql
as $$
declare
    v_media  record;
begin
    update podi.media m
       set state = i_verdict ->> 'verdict',
           reject_code = case i_verdict ->> 'verdict' when 'rejected'
                         then coalesce(i_verdict ->> 'reject_code',
                                       'picture_invalid') end,
           ready_at = case i_verdict ->> 'verdict' when 'ready'
                      then clock_timestamp() end,
           type = coalesce(i_verdict ->> 'type', m.type),
           bytes = coalesce((i_verdict ->> 'bytes')::bigint, m.bytes),
           sha256 = coalesce(i_verdict ->> 'sha256', m.sha256),
           width = (i_verdict ->> 'width')::int,
           height = (i_verdict ->> 'height')::int,
           thumb_key = i_verdict ->> 'thumb_key',
           thumb_bytes = (i_verdict ->> 'thumb_bytes')::bigint
     where m.media_id = i_media and m.tenant_id = i_tenant
           and m.state = 'checking'
    returning m.* into v_media;
    if not found then
        return '[]';
    end if;

    return jsonb_build_array(jsonb_build_object(
        'tenant_id', i_tenant, 'user_id', v_media.user_id,
        'type', 'media.' || v_media.state,
        'data', jsonb_strip_nulls(jsonb_build_object(
            'media_id', v_media.media_id, 'name', v_media.name,
            'type', v_media.type, 'bytes', v_media.bytes,
            'width', v_media.width, 'height', v_media.height,
            'reject_code', v_media.reject_code))));
end
$$;
