-- ----------------------------------------------------------------------
-- internal.hold_open(user, amount, ref, ttl, reason, key, hash)
--
--      The work of api.wallet_freeze.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  o_hold, o_seq: the entry that tells of it; o_events as stored,
--           NULL: it was done before
-- Raises:   as api.wallet_freeze
-- Writes:   the wallet tables, podi.audit, podi.user_head, podi.user_event
-- Called:   api.wallet_freeze
-- ----------------------------------------------------------------------
create or replace function internal.hold_open(
    i_user    uuid,
    i_amount  bigint,
    i_ref     text,
    i_ttl_ms  bigint,
    i_reason  text,
    i_key     text,
    i_hash    bytea,
    out o_hold    bigint,
    out o_seq     bigint,
    out o_events  jsonb)
language plpgsql
as $$
declare
    v_tenant  uuid := internal.tenant();
    v_hold    podi.hold;
begin
    perform internal.hold_check(i_amount, i_ref, i_ttl_ms, i_reason);

    v_hold.tenant_id := v_tenant;
    v_hold.wallet_id := internal.wallet_of(v_tenant, i_user);
    v_hold.kind := 'external';
    v_hold.round := 1;
    v_hold.ref := i_ref;
    v_hold.reason := i_reason;
    v_hold.amount := i_amount;

    perform 1
       from podi.wallet w
      where w.wallet_id = v_hold.wallet_id and w.tenant_id = v_tenant
        for update;
    select e.o_hold, e.o_seq into o_hold, o_seq
      from internal.entry_of_key(v_tenant, v_hold.wallet_id, i_key, i_hash) e;
    if o_seq is not null then
        return;
    end if;

    begin
        select t.o_hold, t.o_events into o_hold, o_events
          from internal.hold_take(v_hold, i_ttl_ms * interval '1 millisecond',
                                  'freeze:k:' || i_key, i_hash) t;
    exception
        when unique_violation then
            raise exception 'the ref has a hold already'
                  using errcode = 'U0409', detail = '{"field":"ref"}';
    end;
    o_seq := (o_events #>> '{0,data,seq}')::bigint;
    perform internal.audit_write('wallet.freeze', i_user, jsonb_build_object(
                'by', internal.user_id(), 'hold_id', o_hold, 'ref', i_ref,
                'amount', i_amount, 'reason', i_reason));
    o_events := internal.event_append(v_tenant, i_user, o_events);
end
$$;
