-- ----------------------------------------------------------------------
-- api.admin_key_disable(key)
--
--      Disables a key of a provider; again changes nothing.
--
-- Returns:  key_id, provider, name, state, kek, created_at, disabled_at
-- Raises:   U0403 not the operator's; U0404 there is no such key
-- Writes:   podi.provider_key, podi.comfy_server, podi.operator_audit
-- Called:   admin/ngx_http_podi_admin_key.c
-- ----------------------------------------------------------------------
create or replace function api.admin_key_disable(i_key uuid)
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
declare
    v_key   record;
    v_done  uuid;
begin
    perform internal.enter('admin');
    perform internal.operator_check();

    select k.* into v_key from sys.provider_key_list() k where k.key_id = i_key;
    if not found then
        raise exception 'there is no such key' using errcode = 'U0404';
    end if;

    if v_key.state = 'active' then
        select d.key_id into v_done
          from sys.provider_key_disable(v_key.provider, v_key.name) d;
        -- another has its name since
        if v_done <> i_key then
            raise exception 'the key was replaced' using errcode = 'U0409';
        end if;
    end if;

    return query
    select k.key_id, k.provider, k.name, k.state, k.kek, k.created_at,
           k.disabled_at
      from sys.provider_key_list() k
     where k.key_id = i_key;
end
$$;
