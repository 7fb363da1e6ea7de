-- ----------------------------------------------------------------------
-- internal.lot_add(tenant, wallet, op, amount, kind, expires, source_ref,
--                  reason, ref)
--
--      Adds a lot to a wallet, once for each source_ref.  Spent first: gifts,
--      then plans, refunds, and what was paid for.  The caller holds the
--      wallet's row lock.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  events for internal.event_append; NULL: the source_ref has its lot
-- Raises:   U0409 the source_ref granted another amount or kind
-- Writes:   podi.lot, podi.wallet, podi.ledger
-- Called:   sys.wallet_grant, internal.wallet_change
-- ----------------------------------------------------------------------
create or replace function internal.lot_add(
    i_tenant      uuid,
    i_wallet      uuid,
    i_op          text,
    i_amount      bigint,
    i_kind        text,
    i_expires_at  timestamptz,
    i_source_ref  text,
    i_reason      text,
    i_ref         text default null)
returns jsonb
language plpgsql
as $$
declare
    v_lot  record;
begin
    select l.amount, l.kind into v_lot
      from podi.lot l
     where l.wallet_id = i_wallet and l.source_ref = i_source_ref
       and l.tenant_id = i_tenant;
    if found then
        if v_lot.amount <> i_amount or v_lot.kind <> i_kind then
            raise exception 'the source_ref granted % of kind %',
                            v_lot.amount, v_lot.kind using errcode = 'U0409';
        end if;
        return null;
    end if;

    insert into podi.lot as l (tenant_id, wallet_id, kind, priority, expires_at,
                               source_ref, amount, avail)
    values (i_tenant, i_wallet, i_kind,
            case i_kind when 'gift' then 10 when 'plan' then 20
                        when 'refund' then 40 else 50 end,
            i_expires_at, i_source_ref, i_amount, i_amount)
    returning l.lot_id into v_lot;

    return internal.wallet_move((i_tenant, i_wallet, i_op,
               case i_op when 'grant' then 'granted' else 'adjusted' end,
               'available', i_amount, null, null, null, v_lot.lot_id,
               case when i_op = 'adjust' then i_source_ref
                    else i_op || ':' || i_source_ref end,
               coalesce(i_ref, i_source_ref), i_reason, null, null));
end
$$;
