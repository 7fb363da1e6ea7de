-- ----------------------------------------------------------------------
-- api.media_list(after, limit, kind, state, type, task)
--
--      The caller's media, newest first; after is the last media_id of the
--      page before (ids ascend with time).  NULL filters nothing, except that
--      uploads that expired come only when asked for.
--
-- Returns:  the columns of podi.media_card
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
