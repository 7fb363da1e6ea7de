-- ----------------------------------------------------------------------
-- internal.tenant()
--
--      The tenant that internal.enter verified for this transaction; what
--      the policies compare with.  Inlined, so it carries no SET clause.
--
-- Returns:  uuid, NULL when nobody entered (which makes every policy false)
-- Raises:   nothing
-- Writes:   nothing
-- Called:   policies, api.*, internal.*
-- ----------------------------------------------------------------------
create or replace function internal.tenant()
returns uuid
language sql stable
as $$
    -- after a transaction the setting is '' and not absent
    select nullif(pg_catalog.current_setting('podi.tenant', true), '')::pg_catalog.uuid
$$;
