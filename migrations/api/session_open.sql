-- ----------------------------------------------------------------------
-- api.session_open(session, user, source, device, ip prefix, idle, abs,
--                  channel)
--
--      Signs a user in on a device.  The caller has checked who he is.  What
--      the session gives out is bound to the channel that he came by.
--
-- Returns:  session_id, user_id, login, role, tenant_id, rt_counter,
--           idle_expiry, abs_expiry, channel
-- Raises:   U0412 no such active user
--           U0403 for somebody who is signed in
-- Writes:   podi.session, podi.audit
-- Called:   account/ngx_http_podi_account_login.c
-- ----------------------------------------------------------------------
create or replace function api.session_open(
    i_session    uuid,
    i_user       uuid,
    i_source     text,
    i_device     text,
    i_ip_prefix  text,
    i_idle_ms    bigint,
    i_abs_ms     bigint,
    i_channel    text default null,
    out session_id   uuid,
    out user_id      uuid,
    out login        text,
    out display_name text,
    out role         text,
    out tenant_id    uuid,
    out identity_source text,
    out rt_counter   bigint,
    out idle_expiry  timestamptz,
    out abs_expiry   timestamptz,
    out channel      text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
begin
    perform internal.enter('anon', 'gateway');

    select u.user_id, u.login, u.display_name, u.role, u.tenant_id
      into user_id, login, display_name, role, tenant_id
      from users u
     where u.tenant_id = internal.tenant() and u.user_id = i_user
       and u.state = 'active';
    if not found then
        raise exception 'no such user' using errcode = 'U0412';
    end if;

    insert into session as s (tenant_id, session_id, user_id,
                              identity_source, device_label, ip_prefix,
                              idle_expiry, abs_expiry, channel)
    values (internal.tenant(), i_session, i_user, i_source,
            left(i_device, 200), i_ip_prefix,
            now() + least(i_idle_ms, i_abs_ms) * interval '1 ms',
            now() + i_abs_ms * interval '1 ms', i_channel)
    returning s.session_id, s.identity_source, s.rt_counter, s.idle_expiry,
              s.abs_expiry, s.channel
         into session_id, identity_source, rt_counter, idle_expiry,
              abs_expiry, channel;

    perform internal.audit_write('account.login', i_user,
            jsonb_build_object('session_id', i_session,
                               'identity_source', i_source,
                               'ip_prefix', i_ip_prefix));
end
$$;
