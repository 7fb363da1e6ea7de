-- ----------------------------------------------------------------------
-- internal.change_check(amount, reason, ref)
--
--      Refuses a change by an operator that makes no sense, naming the field:
--      whoever changes money says why, and what he calls it.
--
-- Returns:  nothing
-- Raises:   U0422
-- Writes:   nothing
-- Called:   sys.wallet_refund, sys.wallet_adjust
-- ----------------------------------------------------------------------
create or replace function internal.change_check(
    i_amount  bigint,
    i_reason  text,
    i_ref     text)
returns void
language plpgsql immutable
as $$
declare
    v_field  text;
begin
    v_field := case
        when coalesce(i_amount, 0) not between 1 and 1000000000000000
            then 'amount'
        when coalesce(i_reason, '') !~ '\S' or length(i_reason) > 500
            then 'reason'
        when coalesce(length(i_ref), 0) not between 1 and 180 then 'ref'
        end;
    if v_field is not null then
        raise exception 'wrong %', v_field
              using errcode = 'U0422',
                    detail = jsonb_build_object('field', v_field)::text;
    end if;
end
$$;
