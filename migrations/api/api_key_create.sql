-- ----------------------------------------------------------------------
-- api.api_key_create(key, name, role, scopes, hash, days, session, channel)
--
--      A key for the caller's programs; session: the one that asks.  A key
--      that could make keys would outlive its being taken back.  It is bound
--      to the channel that the caller's token is bound to.
--
-- Returns:  the columns of podi.api_key_card
-- Raises:   U0422 a wrong name, role, scope or number of days
--           U0403 a role that is not the caller's to give; the session is a
--                 key's
--           U0409 he has 50 that live
-- Writes:   podi.session, podi.api_key, podi.audit
-- Called:   account/ngx_http_podi_account_api_key_create.c
-- ----------------------------------------------------------------------
create or replace function api.api_key_create(
    i_key      uuid,
    i_name     text,
    i_role     text,
    i_scopes   jsonb,
    i_hash     bytea,
    i_days     int,
    i_session  uuid,
    i_channel  text default null)
returns setof podi.api_key_card
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_end     timestamptz;
    v_scopes  text[];
begin
    perform internal.enter('user', 'admin', 'service');

    if exists (
        select 1
          from session s
         where s.tenant_id = internal.tenant() and s.session_id = i_session
           and s.identity_source = 'api_key') then
        raise exception 'a key makes no keys' using errcode = 'U0403';
    end if;

    v_scopes := internal.api_key_check(i_name, i_role, i_scopes, i_days);
    v_end := now() + make_interval(days => i_days);

    -- his row is the lock under which his keys are counted
    perform 1
       from users u
      where u.tenant_id = internal.tenant() and u.user_id = internal.user_id()
        for no key update;
    if (select count(*)
          from api_key k
          join session s on s.tenant_id = k.tenant_id
                        and s.session_id = k.key_id
         where k.tenant_id = internal.tenant()
           and k.user_id = internal.user_id()
           and s.revoked_at is null and s.abs_expiry > now()) >= 50 then
        raise exception 'there are 50 keys already' using errcode = 'U0409';
    end if;

    insert into session (tenant_id, session_id, user_id, identity_source,
                         device_label, idle_expiry, abs_expiry, channel)
    values (internal.tenant(), i_key, internal.user_id(), 'api_key', i_name,
            v_end, v_end, i_channel);
    insert into api_key (tenant_id, key_id, user_id, name, max_role, scopes,
                         secret_hash)
    values (internal.tenant(), i_key, internal.user_id(), i_name, i_role,
            v_scopes, i_hash);

    perform internal.audit_write('account.api_key', internal.user_id(),
            jsonb_build_object('key_id', i_key, 'name', i_name,
                               'role', i_role));

    return query
    select c.*
      from api_key k
     cross join lateral internal.api_key_card(k) c
     where k.tenant_id = internal.tenant() and k.key_id = i_key;
end
$$;
