-- ----------------------------------------------------------------------
-- internal.params_check(schema, params, field)
--
--      Holds the parameters of a request against the schema of an action.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, the parameters with the defaults filled in
-- Raises:   U0422 naming the first member that is wrong, as field || path, and
--           the keyword of the schema that refuses it
-- Writes:   nothing
-- Called:   internal.order_asks
-- ----------------------------------------------------------------------
create or replace function internal.params_check(
    i_schema  jsonb,
    i_params  jsonb,
    i_field   text)
returns jsonb
language plpgsql
as $$
declare
    v_bad  text[] := internal.schema_fault(i_schema, i_params);
begin
    if v_bad is not null then
        raise exception '%', v_bad[3]
              using errcode = 'U0422',
                    detail = json_build_object('field', i_field || v_bad[1],
                                               'keyword', v_bad[2]);
    end if;

    return internal.schema_fill(i_schema, i_params);
end
$$;
