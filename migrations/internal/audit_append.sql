-- ----------------------------------------------------------------------
-- internal.audit_append(tenant, verb, user, detail)
--
--      One audit row.  A trace_id in the detail goes to its column.
--      Invoker rights.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   podi.audit
-- Called:   internal.audit_write, sys functions
-- ----------------------------------------------------------------------
create or replace function internal.audit_append(
    i_tenant  uuid,
    i_verb    text,
    i_user    uuid,
    i_detail  jsonb)
returns void
language plpgsql
set search_path = podi, pg_temp
as $$
begin
    insert into audit (tenant_id, user_id, verb, detail, trace_id)
    values (i_tenant, i_user, i_verb,
            coalesce(i_detail, '{}') - 'trace_id', i_detail ->> 'trace_id');
end
$$;
