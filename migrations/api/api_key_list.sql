-- ----------------------------------------------------------------------
-- api.api_key_list(after, limit)
--
--      The caller's keys, newest first; after is the last key_id of the page
--      before.
--
-- Returns:  the columns of podi.api_key_card
-- Raises:   nothing of its own
-- Writes:   nothing
-- Called:   account/ngx_http_podi_account_api_key_list.c
-- ----------------------------------------------------------------------
create or replace function api.api_key_list(i_after uuid, i_limit int)
returns setof podi.api_key_card
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin', 'service');

    return query
    select c.*
      from api_key k
     cross join lateral internal.api_key_card(k) c
     where k.tenant_id = internal.tenant() and k.user_id = internal.user_id()
       and (i_after is null or k.key_id < i_after)
     order by k.key_id desc
     limit least(greatest(coalesce(i_limit, 50), 1), 1000);
end
$$;
