-- ----------------------------------------------------------------------
-- internal.chain_mac(heads, texts, keys)
--
--      The hashes of ledger rows, in the order of their chains: each is the
--      HMAC of the hash before it and of the row's text.  A row with a head
--      begins a chain there, one without goes on.  Without keys the newest
--      key makes them; old rows name theirs.
--      The only reader of podi.chain_key; owned by podi_keeper.
--
-- Returns:  o_key: the newest key's name; o_hashes, one for each text
-- Raises:   U0420 there is no such key
-- Writes:   nothing
-- Called:   internal.ledger_rows, internal.ledger_replay, internal.wallet_move
-- ----------------------------------------------------------------------
create or replace function internal.chain_mac(
    i_heads  bytea[],
    i_texts  text[],
    i_keys   text[] default null,
    out o_key     text,
    out o_hashes  bytea[])
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
declare
    v_id    text := '';
    v_ipad  bytea;
    v_opad  bytea;
    v_hash  bytea := '';
begin
    if i_keys is null then
        select k.key_id, k.ipad, k.opad into o_key, v_ipad, v_opad
          from chain_key k
         where k.newest;
    end if;

    for i in 1 .. cardinality(i_texts) loop
        if i_keys[i] <> v_id then
            v_id := i_keys[i];
            v_ipad := null;
            select k.ipad, k.opad into v_ipad, v_opad
              from chain_key k
             where k.key_id = v_id;
        end if;
        if v_ipad is null then
            raise exception 'no chain key %', v_id using errcode = 'U0420';
        end if;

        v_hash := sha256(v_opad || sha256(v_ipad || coalesce(i_heads[i], v_hash)
                                          || convert_to(i_texts[i], 'UTF8')));
        o_hashes[i] := v_hash;
    end loop;
end
$$;
