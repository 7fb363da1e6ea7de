-- ----------------------------------------------------------------------
-- api.wallet_statement(from, to)
--
--      The caller's statement of a period, from inclusive, to exclusive; NULL
--      is the beginning, and now.  Opening and what moved is closing; head is
--      the end of the chain at the last entry, which proves all before it.
--
-- Returns:  wallet_id, opening_available, opening_frozen, closing_available,
--           closing_frozen, first_seq, last_seq (NULLs: nothing moved), totals
--           [{type, entries, amount, available_change, frozen_change}], head
--           (hex, NULL: no chain yet), key_id
-- Raises:   U0404 the caller has no wallet; U0422 to is before from
--           U0427 the end of the ledger is not what the wallet says
-- Writes:   nothing
-- Called:   wallet/ngx_http_podi_wallet_statement.c
-- ----------------------------------------------------------------------
create or replace function api.wallet_statement(
    i_from  timestamptz,
    i_to    timestamptz,
    out wallet_id          uuid,
    out opening_available  bigint,
    out opening_frozen     bigint,
    out closing_available  bigint,
    out closing_frozen     bigint,
    out first_seq          bigint,
    out last_seq           bigint,
    out totals             jsonb,
    out head               text,
    out key_id             text)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_before  bigint;
    v_last    bigint;
begin
    perform internal.enter('user', 'admin');

    if i_to < i_from then
        raise exception 'wrong to' using errcode = 'U0422', detail = '{"field":"to"}';
    end if;
    wallet_id := internal.wallet_of(internal.tenant(), internal.user_id());
    perform internal.entry_last(internal.tenant(), wallet_id);
    v_before := internal.entry_seek(internal.tenant(), wallet_id,
                                    coalesce(i_from, '-infinity'));
    v_last := internal.entry_seek(internal.tenant(), wallet_id,
                                  coalesce(i_to, 'infinity'));

    select b.available, b.frozen into opening_available, opening_frozen
      from internal.entry_balance(internal.tenant(), wallet_id, v_before) b;
    select b.available, b.frozen, encode(b.hash, 'hex'), b.key_id
      into closing_available, closing_frozen, head, key_id
      from internal.entry_balance(internal.tenant(), wallet_id, v_last) b;

    totals := internal.entry_totals(internal.tenant(), wallet_id, v_before,
                                    v_last);
    if v_last > v_before then
        first_seq := v_before + 1;
        last_seq := v_last;
    end if;
end
$$;
