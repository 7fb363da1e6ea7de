-- ----------------------------------------------------------------------
-- internal.ledger_check(wallet, after, limit)
--
--      Verifies up to limit rows of the ledger of one wallet from behind a row
--      on, a thousand at a time; and, once it is at the end, that this is what
--      the wallet says.  Stable: all of one snapshot.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  o_rows; o_next: the row to go on behind, NULL: it is done; o_seq,
--           o_fault: where it is wrong first, and how: as
--           internal.ledger_replay, or `wallet`; NULL: nowhere
-- Raises:   U0420 a row names a chain key that is not there
-- Writes:   nothing
-- Called:   sys.ledger_verify, internal.reconcile_ledger
-- ----------------------------------------------------------------------
create or replace function internal.ledger_check(
    i_wallet  podi.wallet,
    i_after   bigint,
    i_limit   bigint,
    out o_rows   bigint,
    out o_next   bigint,
    out o_seq    bigint,
    out o_fault  text)
language plpgsql stable
as $$
declare
    v_last  bigint := i_after;
    v_part  record;
begin
    o_rows := 0;
    loop
        v_part := internal.ledger_replay(i_wallet.tenant_id, i_wallet.wallet_id,
                      v_last, least(1000, i_limit - o_rows)::int);
        o_rows := o_rows + v_part.o_rows;
        o_seq := v_part.o_seq;
        o_fault := v_part.o_fault;
        exit when o_fault is not null or v_part.o_rows = 0;
        v_last := v_part.o_last;
        if o_rows >= i_limit and v_last < i_wallet.seq then
            o_next := v_last;
            return;
        end if;
        exit when o_rows >= i_limit;
    end loop;

    if o_fault is null and not exists (
       select 1
         from (values (0)) one (n)
         left join podi.ledger l
           on l.wallet_id = i_wallet.wallet_id and l.seq = i_wallet.seq
              and l.tenant_id = i_wallet.tenant_id
        where v_last = i_wallet.seq
          and (coalesce(l.available_after, 0), coalesce(l.held_after, 0),
               coalesce(l.hash, ''))
              = (i_wallet.available, i_wallet.held, i_wallet.head))
    then
        o_seq := i_wallet.seq;
        o_fault := 'wallet';
    end if;
end
$$;
