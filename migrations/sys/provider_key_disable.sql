-- ----------------------------------------------------------------------
-- sys.provider_key_disable(provider, name)
--
--      Disables a key of a provider: nobody is given it any more.
--
-- Returns:  key_id, provider, name, state
-- Raises:   U0404 no active key has that name
-- Writes:   podi.provider_key, podi.comfy_server, podi.operator_audit
-- Called:   podictl key disable; api.admin_key_disable
-- ----------------------------------------------------------------------
create or replace function sys.provider_key_disable(
    i_provider  text,
    i_name      text,
    out key_id    uuid,
    out provider  text,
    out name      text,
    out state     text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
begin
    update provider_key k set state = 'disabled', disabled_at = now()
     where k.provider = i_provider and k.name = i_name and k.state = 'active'
    returning k.key_id, k.provider, k.name, k.state
         into key_id, provider, name, state;
    if not found then
        raise exception 'there is no such key' using errcode = 'U0404';
    end if;

    perform internal.comfy_rekey(i_provider, i_name);
    perform internal.operator_audit('provider_key.disable',
                jsonb_build_object('key_id', key_id, 'provider', provider,
                                   'name', name));
end
$$;
