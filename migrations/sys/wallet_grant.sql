-- ----------------------------------------------------------------------
-- sys.wallet_grant(tenant slug, login, amount, kind, expires, ref, reason)
--
--      Gives a user a lot of points, once for each source_ref.  Kind refund is
--      goodwill, spent after plans and before what was paid for; what was spent
--      is given back by sys.wallet_refund alone.
--
-- Returns:  wallet_id, available, seq, is_new, _events
-- Raises:   U0404 no such tenant or user
--           U0422 amount, kind, expires_at or source_ref is wrong
--           U0409 the source_ref granted something else
-- Writes:   podi.wallet, podi.lot, podi.ledger, podi.audit, podi.user_event
-- Called:   podictl wallet grant
-- ----------------------------------------------------------------------
create or replace function sys.wallet_grant(
    i_slug        text,
    i_login       text,
    i_amount      bigint,
    i_kind        text,
    i_expires_at  timestamptz,
    i_source_ref  text,
    i_reason      text,
    out wallet_id  uuid,
    out available  bigint,
    out seq        bigint,
    out is_new     boolean,
    out _events    jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_who     record;
    v_wallet  uuid;
begin
    perform internal.grant_check(i_amount, i_kind, i_expires_at,
                                 i_source_ref);
    v_who := internal.account_find(i_slug, i_login);
    v_wallet := internal.wallet_of(v_who.o_tenant, v_who.o_user);
    perform 1
       from wallet w
      where w.tenant_id = v_who.o_tenant and w.wallet_id = v_wallet
        for update;

    perform internal.lot_lapse(v_who.o_tenant, v_wallet);
    _events := internal.lot_add(v_who.o_tenant, v_wallet,
                                'grant', i_amount, i_kind, i_expires_at,
                                i_source_ref, i_reason);
    is_new := _events is not null;
    select w.wallet_id, w.available, w.seq into wallet_id, available, seq
      from wallet w
     where w.tenant_id = v_who.o_tenant and w.wallet_id = v_wallet;

    if is_new then
        perform internal.audit_append(v_who.o_tenant, 'wallet.grant',
                v_who.o_user, jsonb_build_object('amount', i_amount,
                'kind', i_kind, 'source_ref', i_source_ref,
                'reason', i_reason));
        _events := internal.event_append(v_who.o_tenant, v_who.o_user, _events);
    end if;
    _events := coalesce(_events, '[]');
end
$$;
