-- ----------------------------------------------------------------------
-- internal.price_of(rule, params, pictures, pixels)
--
--      What one job costs by a rule: the base, and for each term its points
--      for each begun `per` of the unit; then not less than least, not more
--      than most.  Rounded up, term by term.  Invoker rights.
--
-- Returns:  bigint
-- Raises:   U0422 more than a job may cost (10^15)
-- Writes:   nothing
-- Called:   internal.price_all
--
--      picture    the inputs of the job
--      megapixel  the pixels of its inputs, in millions
--      step, token, param   the number in the parameter that the term names;
--                 nothing when it was not given
-- ----------------------------------------------------------------------
create or replace function internal.price_of(
    i_rule      podi.price_rule,
    i_params    jsonb,
    i_pictures  int,
    i_pixels    numeric)
returns bigint
language plpgsql
as $$
declare
    v_term   jsonb;
    v_n      numeric;
    v_price  numeric := i_rule.base;
begin
    for v_term in select e.value from jsonb_array_elements(i_rule.terms) e loop
        v_n := case v_term ->> 'unit'
               when 'picture'   then i_pictures
               when 'megapixel' then i_pixels / 1000000
               else case jsonb_typeof(i_params -> (v_term ->> 'param'))
                    when 'number'
                    then (i_params -> (v_term ->> 'param'))::numeric end
               end;
        v_price := v_price + (v_term -> 'points')::numeric * ceil(
                       greatest(coalesce(v_n, 0), 0)
                       / (v_term -> 'per')::numeric);
    end loop;

    v_price := least(greatest(v_price, i_rule.least), i_rule.most);
    if v_price > 1000000000000000 then
        raise exception 'the job costs more than a job may'
              using errcode = 'U0422', detail = '{"field":"params"}';
    end if;
    return v_price;
end
$$;
