-- ----------------------------------------------------------------------
-- internal.hold_check(amount, ref, ttl, reason)
--
--      Refuses a freeze that makes no sense, naming the field.
--
-- Returns:  nothing
-- Raises:   U0422
-- Writes:   nothing
-- Called:   internal.hold_open
-- ----------------------------------------------------------------------
create or replace function internal.hold_check(
    i_amount  bigint,
    i_ref     text,
    i_ttl_ms  bigint,
    i_reason  text)
returns void
language plpgsql immutable
as $$
declare
    v_field  text;
begin
    v_field := case
        when coalesce(i_amount, 0) not between 1 and 1000000000000000
            then 'amount'
        when coalesce(length(i_ref), 0) not between 1 and 200 then 'ref'
        when coalesce(i_ttl_ms, 0) not between 1000 and 7776000000 then 'ttl_ms'
        when length(i_reason) > 500 then 'reason'
        end;
    if v_field is not null then
        raise exception 'wrong %', v_field
              using errcode = 'U0422',
                    detail = jsonb_build_object('field', v_field)::text;
    end if;
end
$$;
