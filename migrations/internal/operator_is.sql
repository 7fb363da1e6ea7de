-- ----------------------------------------------------------------------
-- internal.operator_is()
--
--      Whether who entered is an admin of a tenant that is the operator's.
--      Read anew each time: who is taken off is out at once, whatever his token
--      says.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  boolean
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.operator_check, api.job_explain
-- ----------------------------------------------------------------------
create or replace function internal.operator_is()
returns boolean
language sql stable
as $$
    select exists (
    select 1
      from podi.tenant t
      join podi.users u on u.tenant_id = t.tenant_id
     where t.tenant_id = internal.tenant() and t.operator
           and t.state = 'active' and u.user_id = internal.user_id()
           and u.role = 'admin' and u.state = 'active')
$$;
