-- ----------------------------------------------------------------------
-- internal.operator_check()
--
--      Only an admin of a tenant that is the operator's goes on, see
--      internal.operator_is.
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
    if not internal.operator_is() then
        raise exception 'not for admins of a tenant' using errcode = 'U0403';
    end if;
end
$$;
