-- ----------------------------------------------------------------------
-- api.account_me(session)
--
--      The caller, as the session sees him.
--
-- Returns:  user_id, login, display_name, role, permissions,
--           identity_source, tenant (slug), tenant_id, session_id,
--           session_expires_at, created_at
-- Raises:   U0411 the session has ended, or is not the caller's
-- Writes:   nothing
-- Called:   account/ngx_http_podi_account_me.c
-- ----------------------------------------------------------------------
create or replace function api.account_me(
    i_session  uuid,
    out user_id             uuid,
    out login               text,
    out display_name        text,
    out role                text,
    out permissions         jsonb,
    out identity_source     text,
    out tenant              text,
    out tenant_id           uuid,
    out session_id          uuid,
    out session_expires_at  timestamptz,
    out created_at          timestamptz)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
begin
    perform internal.enter('user', 'admin');

    select u.user_id, u.login, u.display_name, u.role,
           internal.role_permissions(u.role)
           || case when u.role = 'admin' and t.operator
              then '["operator.admin"]'::jsonb else '[]' end,
           s.identity_source, t.slug,
           t.tenant_id, s.session_id, least(s.idle_expiry, s.abs_expiry),
           u.created_at
      into user_id, login, display_name, role, permissions, identity_source,
           tenant, tenant_id, session_id, session_expires_at, created_at
      from session s
      join users u on u.tenant_id = s.tenant_id and u.user_id = s.user_id
      join tenant t on t.tenant_id = s.tenant_id
     where s.tenant_id = internal.tenant() and s.session_id = i_session
       and s.user_id = internal.user_id() and s.revoked_at is null
       and s.idle_expiry > now() and u.state = 'active';
    if not found then
        raise exception 'the session has ended' using errcode = 'U0411';
    end if;
end
$$;
