-- ----------------------------------------------------------------------
-- internal.hold_find(hold, ref)
--
--      The hold of another server in the entered tenant, by our id, by its
--      own ref, or both, with the lock of its wallet.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the hold
-- Raises:   U0423 no such hold
-- Writes:   nothing
-- Called:   internal.hold_draw
-- ----------------------------------------------------------------------
create or replace function internal.hold_find(i_hold bigint, i_ref text)
returns podi.hold
language plpgsql
as $$
declare
    v_hold  podi.hold;
begin
    select h.* into v_hold
      from podi.hold h
     where h.tenant_id = internal.tenant() and h.kind = 'external'
       and h.hold_id = coalesce(i_hold, (select q.hold_id from podi.hold q
                                          where q.ref = i_ref and q.tenant_id
                                                = internal.tenant()))
       and (i_ref is null or h.ref = i_ref);
    if not found then
        raise exception 'no such hold' using errcode = 'U0423';
    end if;

    perform 1
       from podi.wallet w
      where w.wallet_id = v_hold.wallet_id and w.tenant_id = v_hold.tenant_id
        for update;

    -- as it stands now that nobody else can change it
    select h.* into v_hold
      from podi.hold h
     where h.hold_id = v_hold.hold_id and h.tenant_id = v_hold.tenant_id;
    return v_hold;
end
$$;
