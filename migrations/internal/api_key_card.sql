-- ----------------------------------------------------------------------
-- internal.api_key_card(key)
--
--      A key as its owner is shown it.  Inlined, so it carries no SET clause.
--
-- Returns:  the columns of podi.api_key_card
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.api_key_create, api.api_key_list, api.api_key_revoke
-- ----------------------------------------------------------------------
create or replace function internal.api_key_card(k podi.api_key)
returns setof podi.api_key_card
language sql stable
as $$
    select k.key_id, k.name, k.max_role, to_jsonb(k.scopes), k.created_at,
           s.abs_expiry, k.used_at, s.revoked_at
      from podi.session s
     where s.tenant_id = k.tenant_id and s.session_id = k.key_id
$$;
