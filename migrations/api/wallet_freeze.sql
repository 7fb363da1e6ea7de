-- ----------------------------------------------------------------------
-- api.wallet_freeze(user, amount, ref, ttl, reason, key, hash)
--
--      Another server freezes points of a user, for work that is not a task of
--      ours.  The hold ends by confirms and releases, or by itself after ttl.
--      The same key and body is answered the same for ever.
--
-- Returns:  the columns of podi.hold_card
-- Raises:   U0402 not enough points; detail required, available, missing
--           U0403 neither service nor admin; U0404 no such user
--           U0409 the ref has a hold already
--           U0410 the key was used with another request
--           U0422 amount, ref, ttl, reason or the key is wrong
-- Writes:   the wallet tables, podi.audit, podi.user_head, podi.user_event
-- Called:   wallet/ngx_http_podi_wallet_freeze.c
-- ----------------------------------------------------------------------
create or replace function api.wallet_freeze(
    i_user    uuid,
    i_amount  bigint,
    i_ref     text,
    i_ttl_ms  bigint,
    i_reason  text,
    i_key     text,
    i_hash    bytea)
returns setof podi.hold_card
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_done  record;
begin
    perform internal.enter('service', 'admin');

    v_done := internal.hold_open(i_user, i_amount, i_ref, i_ttl_ms, i_reason,
                  i_key, sha256(convert_to('freeze|', 'UTF8')
                                || coalesce(i_hash, '')));
    return query
    select a.*
      from internal.hold_answer(internal.tenant(), v_done.o_hold, v_done.o_seq,
                                v_done.o_events) a;
end
$$;
