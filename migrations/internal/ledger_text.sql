-- ----------------------------------------------------------------------
-- internal.ledger_text(tenant, wallet, seq, op, ...)
--
--      What the chain says about a ledger row: every column, so that none can
--      be changed.  Free text comes last, after its lengths, so that no two
--      rows have one text.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the text
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.ledger_rows, internal.ledger_replay, internal.wallet_move
-- ----------------------------------------------------------------------
create or replace function internal.ledger_text(
    i_tenant     uuid,
    i_wallet     uuid,
    i_seq        bigint,
    i_op         text,
    i_debit      text,
    i_credit     text,
    i_amount     bigint,
    i_available  bigint,
    i_held       bigint,
    i_hold       bigint,
    i_task       uuid,
    i_job        uuid,
    i_lot        bigint,
    i_at         timestamptz,
    i_body_hash  bytea,
    i_idem       text,
    i_ref        text,
    i_reason     text)
returns text
language sql stable
as $$
    select concat_ws('|', 'l1', i_tenant, i_wallet, i_seq, i_op, i_debit,
               i_credit, i_amount, i_available, i_held,
               coalesce(i_hold, 0), coalesce(i_task::text, ''),
               coalesce(i_job::text, ''), coalesce(i_lot, 0),
               (extract(epoch from i_at) * 1000000)::bigint,
               coalesce(encode(i_body_hash, 'hex'), ''),
               coalesce(length(i_ref), -1), coalesce(length(i_reason), -1),
               coalesce(i_ref, ''), coalesce(i_reason, ''), i_idem)
$$;
