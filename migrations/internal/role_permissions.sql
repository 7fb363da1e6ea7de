-- ----------------------------------------------------------------------
-- internal.role_permissions(role)
--
--      What a role may do, for pages that hide what is not allowed.
--
-- Returns:  a JSON array of names
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.account_me
-- ----------------------------------------------------------------------
create or replace function internal.role_permissions(i_role text)
returns jsonb
language sql immutable
set search_path = podi, pg_temp
as $$
    select case i_role
           when 'user'  then '["account.read", "wallet.read", "media.read",
                               "media.write", "task.read", "task.write",
                               "event.read"]'::jsonb
           when 'admin' then '["account.read", "wallet.read", "media.read",
                               "media.write", "task.read", "task.write",
                               "event.read", "tenant.admin",
                               "wallet.operate"]'::jsonb
           when 'service' then '["account.read", "wallet.operate"]'::jsonb
           else '[]'::jsonb end
$$;
