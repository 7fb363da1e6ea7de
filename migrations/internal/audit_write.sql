-- ----------------------------------------------------------------------
-- internal.audit_write(verb, user, detail)
--
--      One audit row in the entered tenant.  Invoker rights.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   podi.audit
-- Called:   api functions
-- ----------------------------------------------------------------------
create or replace function internal.audit_write(
    i_verb    text,
    i_user    uuid,
    i_detail  jsonb)
returns void
language plpgsql
set search_path = podi, pg_temp
as $$
begin
    perform internal.audit_append(internal.tenant(), i_verb, i_user, i_detail);
end
$$;
