-- ----------------------------------------------------------------------
-- internal.quote_open(order, channel)
--
--      The prices that the quote of an order promised.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb [[price, rule id, part]], a line a job; NULL when the order
--           has no quote
-- Raises:   U0432 it is forged, expired, or was given for another order
-- Writes:   nothing
-- Called:   internal.task_make
-- ----------------------------------------------------------------------
create or replace function internal.quote_open(i_order jsonb, i_channel text)
returns jsonb
language plpgsql
as $$
declare
    v_part  text[] := string_to_array(i_order ->> 'quote', '.');
    v_mac   text;
    v_say   jsonb;
begin
    if coalesce(i_order -> 'quote', 'null') = 'null' then
        return null;
    end if;

    if cardinality(v_part) = 3 then
        v_mac := (internal.quote_mac(v_part[1], v_part[2])).mac;
    end if;

    -- digests of both are compared, so that the time taken tells nothing
    if v_mac is null
       or sha256(convert_to(v_mac, 'UTF8'))
          <> sha256(convert_to(v_part[3], 'UTF8'))
    then
        raise exception 'the quote is not one of ours' using errcode = 'U0432',
              detail = '{"field":"quote"}';
    end if;

    v_say := convert_from(decode(translate(v_part[1], '-_', '+/')
                 || repeat('=', -length(v_part[1]) & 3), 'base64'), 'UTF8');
    if v_say ->> 'o' <> internal.quote_text(i_order, i_channel) then
        raise exception 'the quote was given for another order'
              using errcode = 'U0432', detail = '{"field":"quote"}';
    end if;
    if (v_say ->> 'x')::bigint <= extract(epoch from now()) then
        raise exception 'the quote has expired'
              using errcode = 'U0432', detail = '{"field":"quote"}';
    end if;
    return v_say -> 'l';
end
$$;
