-- ----------------------------------------------------------------------
-- internal.receipt_entries(tenant, wallet, task)
--
--      The rows of the ledger that a task made, as a receipt has them.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb [{seq, type, amount, available_after, frozen_after, job_id,
--           at, key_id, hash}], oldest first; hash is hex, or null in a row of
--           before there was a chain
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.task_receipt
-- ----------------------------------------------------------------------
create or replace function internal.receipt_entries(
    i_tenant  uuid,
    i_wallet  uuid,
    i_task    uuid)
returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(jsonb_build_object(
               'seq', l.seq, 'type', l.op, 'amount', l.amount,
               'available_after', l.available_after,
               'frozen_after', l.held_after, 'job_id', l.job_id,
               'at', internal.rfc3339(l.at), 'key_id', l.key_id,
               'hash', encode(l.hash, 'hex')) order by l.seq), '[]')
      from podi.ledger l
     where l.wallet_id = i_wallet and l.task_id = i_task
           and l.tenant_id = i_tenant
$$;
