-- ----------------------------------------------------------------------
-- internal.role()
--
--      The role that internal.enter verified for this transaction: anon,
--      user, admin, gateway or worker.  Inlined, so it carries no SET clause.
--
-- Returns:  text, NULL when nobody entered
-- Raises:   nothing
-- Writes:   nothing
-- Called:   policies, api.*, internal.*
-- ----------------------------------------------------------------------
create or replace function internal.role()
returns text
language sql stable
as $$
    select nullif(pg_catalog.current_setting('podi.role', true), '')
$$;
