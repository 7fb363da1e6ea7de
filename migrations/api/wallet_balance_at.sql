-- ----------------------------------------------------------------------
-- api.wallet_balance_at(seq)
--
--      The caller's balances right after an entry; 0 is before the first.
--
-- Returns:  seq, available, frozen, at, head (hex: the chain at this entry)
-- Raises:   U0404 there is no such entry, or no wallet
-- Writes:   nothing
-- Called:   wallet/ngx_http_podi_wallet_balance.c
-- ----------------------------------------------------------------------
create or replace function api.wallet_balance_at(
    i_seq  bigint,
    out seq        bigint,
    out available  bigint,
    out frozen     bigint,
    out at         timestamptz,
    out head       text)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
begin
    perform internal.enter('user', 'admin');

    seq := i_seq;
    select b.available, b.frozen, b.at, encode(b.hash, 'hex')
      into available, frozen, at, head
      from internal.entry_balance(internal.tenant(),
               internal.wallet_of(internal.tenant(), internal.user_id()),
               i_seq) b;
    if available is null then
        raise exception 'no entry %', i_seq using errcode = 'U0404';
    end if;
end
$$;
