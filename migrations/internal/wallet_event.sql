-- ----------------------------------------------------------------------
-- internal.wallet_event(type, tenant, wallet, amount, task, job)
--
--      The event about a wallet's last movement, with the balances as they
--      stand now in this transaction (volatile, to see what the caller just
--      wrote); when that movement made it low, that is told with it.  Callers
--      have let expired lots lapse, so available is what can be spent, as in
--      internal.wallet_available.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  an array of one or two events for internal.event_append; data of
--           the first are amount, available, frozen, seq
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.task_queued
-- ----------------------------------------------------------------------
create or replace function internal.wallet_event(
    i_type    text,
    i_tenant  uuid,
    i_wallet  uuid,
    i_amount  bigint,
    i_task    uuid default null,
    i_job     uuid default null)
returns jsonb
language plpgsql
as $$
begin
    return (select jsonb_build_array(jsonb_build_object(
               'type', i_type, 'task_id', i_task, 'job_id', i_job,
               'data', jsonb_build_object('amount', i_amount,
                       'available', w.available, 'frozen', w.held,
                       'seq', w.seq)))
                   || case when w.low_seq = w.seq
                      then jsonb_build_array(jsonb_build_object(
                               'type', 'wallet.low', 'task_id', i_task,
                               'data', jsonb_build_object(
                                   'available', w.available,
                                   'threshold', w.low_until / 2,
                                   'seq', w.seq)))
                      else '[]' end
      from podi.wallet w
     where w.tenant_id = i_tenant and w.wallet_id = i_wallet);
end
$$;
