-- ----------------------------------------------------------------------
-- internal.hold_allocate(hold, expires)
--
--      Writes a hold, moves its points of the wallet's live lots from avail to
--      held, in the order of spending, and records which lot gave how much.
--      Few lots give to one hold, so they are taken one by one: plain
--      statements cost less than one that is set-based.
--      The caller holds the wallet's row lock.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  hold_id
-- Raises:   U0426 the lots do not have that much (the wallet says they do)
--           23505 the round, or the ref, has a hold already
-- Writes:   podi.hold, podi.lot, podi.hold_alloc
-- Called:   internal.hold_take
-- ----------------------------------------------------------------------
create or replace function internal.hold_allocate(
    i_hold        podi.hold,
    i_expires_at  timestamptz)
returns bigint
language plpgsql
as $$
declare
    v_hold  bigint;
    v_left  bigint := i_hold.amount;
    v_ord   int := 0;
    v_lot   record;
begin
    insert into podi.hold (tenant_id, wallet_id, kind, task_id, round, ref,
                           reason, amount, expires_at)
    values (i_hold.tenant_id, i_hold.wallet_id, i_hold.kind, i_hold.task_id,
            i_hold.round, i_hold.ref, i_hold.reason, i_hold.amount, i_expires_at)
    returning hold.hold_id into v_hold;

    for v_lot in
        select l.lot_id, l.avail
          from podi.lot l
         where l.wallet_id = i_hold.wallet_id and l.tenant_id = i_hold.tenant_id
           and l.live and l.avail > 0
           and (l.expires_at is null or l.expires_at > now())
         order by l.priority, l.expires_at, l.lot_id
    loop
        v_ord := v_ord + 1;
        v_lot.avail := least(v_lot.avail, v_left);
        v_left := v_left - v_lot.avail;

        update podi.lot l
           set avail = l.avail - v_lot.avail, held = l.held + v_lot.avail
         where l.lot_id = v_lot.lot_id and l.tenant_id = i_hold.tenant_id;
        insert into podi.hold_alloc (tenant_id, hold_id, lot_id, ord, amount)
        values (i_hold.tenant_id, v_hold, v_lot.lot_id, v_ord, v_lot.avail);
        exit when v_left = 0;
    end loop;

    if v_left > 0 then
        raise exception 'lots of wallet % have % less than %', i_hold.wallet_id,
                        v_left, i_hold.amount using errcode = 'U0426';
    end if;
    return v_hold;
end
$$;
