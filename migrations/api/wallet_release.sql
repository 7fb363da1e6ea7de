-- ----------------------------------------------------------------------
-- api.wallet_release(hold, ref, amount, key, hash)
--
--      Another server gives back points of a hold that it made: the amount, or
--      NULL, all that is left.  The hold is named by hold or by ref.
--      The same key and body is answered the same for ever.
--
-- Returns:  the columns of podi.hold_card
-- Raises:   U0403 neither service nor admin
--           U0410 the key was used with another request
--           U0421 the hold has less left; detail left
--           U0422 the amount or the key is wrong
--           U0423 no such hold of another server; U0424 it has expired
-- Writes:   the wallet tables, podi.audit, podi.user_head, podi.user_event
-- Called:   wallet/ngx_http_podi_wallet_draw.c
-- ----------------------------------------------------------------------
create or replace function api.wallet_release(
    i_hold    bigint,
    i_ref     text,
    i_amount  bigint,
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

    v_done := internal.hold_draw(i_hold, i_ref, 'release', i_amount, false,
                  i_key, sha256(convert_to('release|', 'UTF8')
                                || coalesce(i_hash, '')));
    return query
    select a.*
      from internal.hold_answer(internal.tenant(), v_done.o_hold, v_done.o_seq,
                                v_done.o_events) a;
end
$$;
