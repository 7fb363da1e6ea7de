-- ----------------------------------------------------------------------
-- internal.operator_check()
--
--      Whether who entered is an admin of a tenant that is the operator's.
--      Read anew each time: who is taken off is out at once, whatever his token
--      says.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0403 he is not
-- Writes:   nothing
-- Called:   api.admin_*
-- ----------------------------------------------------------------------
create or replace function internal.operator_check()
returns void
language plpgsql
as $$
begin
    perform 1
       from podi.tenant t
       join podi.users u on u.tenant_id = t.tenant_id
      where t.tenant_id = internal.tenant() and t.operator
            and t.state = 'active' and u.user_id = internal.user_id()
            and u.role = 'admin' and u.state = 'active';
    if not found then
        raise exception 'not for admins of a tenant' using errcode = 'U0403';
    end if;
end
$$;
