-- ----------------------------------------------------------------------
-- internal.idem_end(route, key, response, scope)
--
--      Stores what a repetition of this call will be answered.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0409 the key was not claimed by internal.idem_begin
-- Writes:   podi.idempotency
-- Called:   api functions that write
-- ----------------------------------------------------------------------
create or replace function internal.idem_end(
    i_route     text,
    i_key       text,
    i_response  jsonb,
    i_scope     text default '')
returns void
language plpgsql
as $$
begin
    if i_key is null then
        return;
    end if;

    update podi.idempotency i
       set response = i_response
     where i.tenant_id = internal.tenant()
       and i.user_id = coalesce(internal.user_id(),
                                '00000000-0000-0000-0000-000000000000')
       and i.scope = i_scope and i.key = i_key and i.route = i_route;
    if not found then
        raise exception 'the key was not claimed' using errcode = 'U0409';
    end if;
end
$$;
