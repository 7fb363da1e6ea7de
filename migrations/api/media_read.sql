-- ----------------------------------------------------------------------
-- api.media_read(media)
--
--      One media of the caller.
--
-- Returns:  the columns of podi.media_card; no row when there is no such media
-- Raises:   nothing of its own
-- Writes:   nothing
-- Called:   media/ngx_http_podi_media_complete.c,
--           media/ngx_http_podi_media_read.c
-- ----------------------------------------------------------------------
create or replace function api.media_read(i_media uuid)
returns setof podi.media_card
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin');

    return query
    select c.*
      from media m
     cross join lateral internal.media_card(m) c
     where m.media_id = i_media and m.tenant_id = internal.tenant()
           and m.user_id = internal.user_id();
end
$$;
