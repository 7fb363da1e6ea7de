-- ----------------------------------------------------------------------
-- api.ready()
--
--      What must be right before traffic comes.  Says it instead of raising.
--
-- Returns:  migration (the highest applied), context_ok (the context's key
--           is known here and it has not expired), clock, tenant_ok (its
--           tenant is there and active)
-- Raises:   nothing
-- Writes:   nothing
-- Called:   status/, /readyz
-- ----------------------------------------------------------------------
create or replace function api.ready(
    out migration   text,
    out context_ok  boolean,
    out clock       timestamptz,
    out tenant_ok   boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    clock := clock_timestamp();
    select max(m.migration) into migration from schema_migration m;

    begin
        perform internal.enter('any');
        context_ok := true;
        tenant_ok := true;
    exception
        when sqlstate 'U0404' then
            context_ok := true;
            tenant_ok := false;
        when sqlstate 'U0001' then
            context_ok := false;
            tenant_ok := false;
    end;
end
$$;
