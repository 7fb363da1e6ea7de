-- ----------------------------------------------------------------------
-- sys.wallet_adjust(tenant slug, login, amount, reason, ref)
--
--      An operator corrects a wallet: adds points, as a gift, or takes points,
--      from the lots in the order of spending.  Once for each ref.
--
-- Returns:  wallet_id, available, seq, is_new, _events
-- Raises:   U0402 fewer are available; detail required, available, missing
--           U0404 no such tenant or user
--           U0409 the ref adjusted another amount, or granted a lot
--           U0422 amount, reason or ref is wrong
-- Writes:   the wallet tables, podi.audit, podi.user_head, podi.user_event
-- Called:   whatever corrects a wallet
-- ----------------------------------------------------------------------
create or replace function sys.wallet_adjust(
    i_slug    text,
    i_login   text,
    i_amount  bigint,
    i_reason  text,
    i_ref     text,
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
    v_who     record := internal.account_find(i_slug, i_login);
    v_before  bigint;
begin
    perform internal.change_check(abs(i_amount), i_reason, i_ref);
    wallet_id := internal.wallet_of(v_who.o_tenant, v_who.o_user);
    perform 1
       from wallet w
      where w.wallet_id = wallet_adjust.wallet_id
        and w.tenant_id = v_who.o_tenant
        for update;

    select l.amount * case l.credit when 'available' then 1 else -1 end
      into v_before
      from ledger l
     where l.wallet_id = wallet_adjust.wallet_id
       and l.idem = 'adjust:' || i_ref and l.tenant_id = v_who.o_tenant;
    is_new := not found;
    _events := '[]';
    if v_before <> i_amount then
        raise exception 'the ref adjusted %', v_before using errcode = 'U0409';
    elsif is_new then
        _events := internal.wallet_change(v_who.o_tenant, wallet_id, i_amount,
                                          i_reason, i_ref);
        if _events is null then
            raise exception 'a grant has this ref' using errcode = 'U0409';
        end if;
        _events := internal.event_append_all(_events);
        perform internal.audit_append(v_who.o_tenant, 'wallet.adjust',
                v_who.o_user, jsonb_build_object('amount', i_amount,
                'ref', i_ref, 'reason', i_reason));
    end if;

    select w.available, w.seq into available, seq
      from wallet w
     where w.wallet_id = wallet_adjust.wallet_id
       and w.tenant_id = v_who.o_tenant;
end
$$;
