-- ----------------------------------------------------------------------
-- internal.entry_of_key(tenant, wallet, key, hash)
--
--      What a request with this key did to the wallet before, if anything.
--      The ledger itself remembers, for ever.  The caller holds the wallet's
--      lock, so a twin has committed by now, or has done nothing.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  hold_id and the last entry's seq; NULLs: the request is new
-- Raises:   U0410 the key was used with another request
--           U0422 the key is missing or too long
-- Writes:   nothing
-- Called:   internal.hold_open, internal.hold_draw
-- ----------------------------------------------------------------------
create or replace function internal.entry_of_key(
    i_tenant  uuid,
    i_wallet  uuid,
    i_key     text,
    i_hash    bytea,
    out o_hold  bigint,
    out o_seq   bigint)
language plpgsql
as $$
declare
    v_hash  bytea;
begin
    if coalesce(length(i_key), 0) not between 1 and 255 then
        raise exception 'an idempotency key of 1 to 255 characters is wanted'
              using errcode = 'U0422', detail = '{"field":"Idempotency-Key"}';
    end if;

    select l.hold_id, l.seq, l.body_hash into o_hold, o_seq, v_hash
      from podi.ledger l
     where l.wallet_id = i_wallet and l.tenant_id = i_tenant
       and l.idem = any (array['freeze:k:' || i_key, 'confirm:k:' || i_key,
                               'release:k:' || i_key])
     order by l.seq desc
     limit 1;

    if v_hash <> i_hash then
        raise exception 'the key was used with another request'
              using errcode = 'U0410';
    end if;
end
$$;
