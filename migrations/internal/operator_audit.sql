-- ----------------------------------------------------------------------
-- internal.operator_audit(verb, detail)
--
--      One audit row of what is of no tenant, and by whom: who entered, or
--      nobody, which is podictl.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   podi.operator_audit
-- Called:   sys functions that change what all tenants share
-- ----------------------------------------------------------------------
create or replace function internal.operator_audit(
    i_verb    text,
    i_detail  jsonb)
returns void
language sql
as $$
    insert into podi.operator_audit (verb, detail, by_tenant, by_user)
    values (i_verb, i_detail, internal.tenant(), internal.user_id())
$$;
