-- ----------------------------------------------------------------------
-- api.context_open(context)
--
--      Hands the transaction its signed context.  Nothing is verified here:
--      the function that follows does it.  Invoker rights, touches no table.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   the transaction-local podi.context
-- Called:   the first statement of each unit
-- ----------------------------------------------------------------------
create or replace function api.context_open(i_context text)
returns void
language plpgsql
as $$
begin
    perform pg_catalog.set_config('podi.context', i_context, true);
end
$$;
