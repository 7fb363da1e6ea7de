-- ----------------------------------------------------------------------
-- internal.wallet_low(tenant, wallet, available, low, task)
--
--      Tells that a wallet fell below its threshold, once: not again before
--      it had twice as much.  Called with the wallet's lock, after the
--      movement that made it so, with what internal.wallet_enter said before.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  events for internal.event_append: one, or none
-- Raises:   nothing
-- Writes:   podi.wallet
-- Called:   internal.hold_take, internal.wallet_change
-- ----------------------------------------------------------------------
create or replace function internal.wallet_low(
    i_tenant     uuid,
    i_wallet     uuid,
    i_available  bigint,
    i_low        bigint,
    i_task       uuid default null)
returns jsonb
language plpgsql
as $$
declare
    v_event  jsonb;
begin
    if i_low is null or i_available >= i_low then
        return '[]';
    end if;

    update podi.wallet w
       set low_seq = w.seq, low_until = 2 * i_low
     where w.wallet_id = i_wallet and w.tenant_id = i_tenant
    returning jsonb_build_object(
                  'tenant_id', w.tenant_id, 'user_id', w.user_id,
                  'type', 'wallet.low', 'task_id', i_task,
                  'data', jsonb_build_object(
                      'available', w.available, 'threshold', i_low,
                      'seq', w.seq))
         into v_event;
    return jsonb_build_array(v_event);
end
$$;
