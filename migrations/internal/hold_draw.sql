-- ----------------------------------------------------------------------
-- internal.hold_draw(hold, ref, op, amount, final, key, hash)
--
--      The work of api.wallet_confirm and api.wallet_release: ends a part of
--      a hold that another server made.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  o_hold, o_seq: the last entry that tells of it; o_events as
--           stored, NULL: it was done before
-- Raises:   U0410, U0422 as internal.entry_of_key
--           U0421 less is left; detail left
--           U0422 the amount is wrong
--           U0423 no such hold of another server; U0424 it has expired
-- Writes:   the wallet tables, podi.audit, podi.user_head, podi.user_event
-- Called:   api.wallet_confirm, api.wallet_release
-- ----------------------------------------------------------------------
create or replace function internal.hold_draw(
    i_hold    bigint,
    i_ref     text,
    i_op      text,
    i_amount  bigint,
    i_final   boolean,
    i_key     text,
    i_hash    bytea,
    out o_hold    bigint,
    out o_seq     bigint,
    out o_events  jsonb)
language plpgsql
as $$
declare
    v_hold    podi.hold := internal.hold_find(i_hold, i_ref);
    v_amount  bigint;
    v_left    bigint := v_hold.amount - v_hold.captured - v_hold.released;
begin
    select e.o_hold, e.o_seq into o_hold, o_seq
      from internal.entry_of_key(v_hold.tenant_id, v_hold.wallet_id, i_key,
                                 i_hash) e;
    if o_seq is not null then
        return;
    end if;

    v_amount := coalesce(i_amount, v_left);
    if v_hold.expires_at <= now() and (i_op = 'confirm' or v_left = 0) then
        raise exception 'the hold has expired' using errcode = 'U0424';
    elsif i_amount <= 0 then
        raise exception 'wrong amount'
              using errcode = 'U0422', detail = '{"field":"amount"}';
    elsif v_amount not between 1 and v_left then
        raise exception 'the hold has % left', v_left
              using errcode = 'U0421',
                    detail = jsonb_build_object('left', v_left)::text;
    end if;

    o_hold := v_hold.hold_id;
    o_events := internal.hold_settle_all(jsonb_build_array(jsonb_build_object(
                    'tenant_id', v_hold.tenant_id, 'hold_id', o_hold,
                    'price', case when i_final then v_left else v_amount end,
                    'charge', case i_op when 'confirm' then v_amount else 0 end,
                    'idem', 'k:' || i_key, 'ref', v_hold.ref,
                    'reason', v_hold.reason, 'body_hash', i_hash)));
    select e.o_seq into o_seq
      from internal.entry_of_key(v_hold.tenant_id, v_hold.wallet_id, i_key,
                                 i_hash) e;
    perform internal.audit_write('wallet.' || i_op,
                (o_events #>> '{0,user_id}')::uuid, jsonb_build_object(
                'by', internal.user_id(), 'hold_id', o_hold,
                'ref', v_hold.ref, 'amount', v_amount, 'final', i_final));
    o_events := internal.event_append_all(o_events);
end
$$;
