-- ----------------------------------------------------------------------
-- internal.grant_check(amount, kind, expires, ref)
--
--      Refuses a grant that makes no sense, naming the field.  A source_ref
--      must not look like one of those that adjustments and refunds make.
--
-- Returns:  nothing
-- Raises:   U0422
-- Writes:   nothing
-- Called:   sys.wallet_grant
-- ----------------------------------------------------------------------
create or replace function internal.grant_check(
    i_amount      bigint,
    i_kind        text,
    i_expires_at  timestamptz,
    i_source_ref  text)
returns void
language plpgsql stable
set search_path = podi, pg_temp
as $$
declare
    v_field  text;
begin
    v_field := case
        when coalesce(i_amount, 0) not between 1 and 1000000000000000
            then 'amount'
        when i_kind is null
             or i_kind not in ('gift', 'plan', 'paid', 'refund') then 'kind'
        when i_expires_at <= now() then 'expires_at'
        when coalesce(length(i_source_ref), 0) not between 1 and 200
             or i_source_ref ~ '^(adjust|refund):' then 'source_ref'
        end;
    if v_field is not null then
        raise exception 'wrong %', v_field
              using errcode = 'U0422',
                    detail = jsonb_build_object('field', v_field)::text;
    end if;
end
$$;
