-- ----------------------------------------------------------------------
-- internal.quote_issue(order, channel, plan, expires)
--
--      A token by which the submit of this order by this user freezes exactly
--      what was quoted, whatever the prices are by then.
--
--          base64url({o: order, x: expiry, l: [[price, rule, part], ...]})
--              .key.mac
--
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  text
-- Raises:   U0001 there is no key to sign with
-- Writes:   nothing
-- Called:   api.task_quote
-- ----------------------------------------------------------------------
create or replace function internal.quote_issue(
    i_order    jsonb,
    i_channel  text,
    i_plan     podi.job_plan[],
    i_expires  timestamptz)
returns text
language plpgsql
as $$
declare
    v_say   text;
    v_sign  record;
begin
    select jsonb_build_object(
               'o', internal.quote_text(i_order, i_channel),
               'x', floor(extract(epoch from i_expires))::bigint,
               'l', jsonb_agg(jsonb_build_array(i_plan[n].price,
                                  (i_plan[n].rule).rule_id,
                                  internal.quote_part(i_plan[n])) order by n))::text
      into v_say
      from generate_subscripts(i_plan, 1) n;

    v_say := translate(encode(convert_to(v_say, 'UTF8'), 'base64'),
                       E'+/=\n', '-_');
    v_sign := internal.quote_mac(v_say, null);
    if v_sign.key is null then
        raise exception 'no key to sign a quote with' using errcode = 'U0001';
    end if;
    return v_say || '.' || v_sign.key || '.' || v_sign.mac;
end
$$;
