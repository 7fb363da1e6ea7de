-- ----------------------------------------------------------------------
-- api.admin_key_list(after, limit)
--
--      The keys of providers that there are and were, the newest first, without
--      what is in them; after is the last key_id of the page before.
--
-- Returns:  key_id, provider, name, state, kek, created_at, disabled_at
-- Raises:   U0403 not the operator's
-- Writes:   nothing
-- Called:   admin/ngx_http_podi_admin_list.c
-- ----------------------------------------------------------------------
create or replace function api.admin_key_list(i_after uuid, i_limit int)
returns table (
    key_id       uuid,
    provider     text,
    name         text,
    state        text,
    kek          text,
    created_at   timestamptz,
    disabled_at  timestamptz)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('admin');
    perform internal.operator_check();

    return query
    select k.key_id, k.provider, k.name, k.state, k.kek, k.created_at,
           k.disabled_at
      from sys.provider_key_list() k
     where i_after is null or k.key_id < i_after
     order by k.key_id desc
     limit least(greatest(coalesce(i_limit, 50), 1), 1000);
end
$$;
