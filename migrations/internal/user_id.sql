-- ----------------------------------------------------------------------
-- internal.user_id()
--
--      The user whom internal.enter verified for this transaction.
--      Inlined, so it carries no SET clause.
--
-- Returns:  uuid, NULL for an anonymous caller
-- Raises:   nothing
-- Writes:   nothing
-- Called:   policies, api.*, internal.*
-- ----------------------------------------------------------------------
create or replace function internal.user_id()
returns uuid
language sql stable
as $$
    select nullif(pg_catalog.current_setting('podi.user', true), '')::pg_catalog.uuid
$$;
