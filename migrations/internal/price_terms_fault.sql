-- ----------------------------------------------------------------------
-- internal.price_terms_fault(terms, schema)
--
--      The first thing that is wrong with the terms of a price rule, for an
--      action of this schema.  Invoker rights.
--
-- Returns:  text, like terms[0].unit; NULL when nothing is
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.price_put
-- ----------------------------------------------------------------------
create or replace function internal.price_terms_fault(
    i_terms   jsonb,
    i_schema  jsonb)
returns text
language plpgsql immutable
as $$
declare
    v_term   jsonb;
    v_named  boolean;
    v_bad    text;
begin
    if jsonb_typeof(i_terms) <> 'array' or jsonb_array_length(i_terms) > 16 then
        return 'terms';
    end if;

    for i in 0 .. jsonb_array_length(i_terms) - 1 loop
        v_term := i_terms -> i;
        v_named := coalesce(v_term ->> 'unit' in ('step', 'token', 'param'),
                            false);
        v_bad := case
            when coalesce(v_term ->> 'unit', '') not in
                 ('picture', 'megapixel', 'step', 'token', 'param')
            then 'unit'
            when coalesce(jsonb_typeof(v_term -> 'points'), '') <> 'number'
                 or (v_term -> 'points')::numeric not between 0 and 1000000000000
                 or (v_term -> 'points')::numeric % 1 <> 0
            then 'points'
            when coalesce(jsonb_typeof(v_term -> 'per'), '') <> 'number'
                 or (v_term -> 'per')::numeric <= 0
            then 'per'
            when v_named <> coalesce(
                 i_schema -> 'properties' ? (v_term ->> 'param'), false)
                 or not v_named and v_term ? 'param'
            then 'param'
            end;
        if v_bad is not null then
            return format('terms[%s].%s', i, v_bad);
        end if;
    end loop;
    return null;
end
$$;
