-- ----------------------------------------------------------------------
-- internal.hold_lapse_all(wallets, events)
--
--      Lets the expired lots of wallets lapse in which points were moved, and
--      tells it in the last event of each.  The caller holds their locks.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, the events
-- Raises:   nothing
-- Writes:   podi.lot, podi.wallet, podi.ledger
-- Called:   internal.hold_settle_moves, internal.hold_settle_one,
--           internal.refund_make
-- ----------------------------------------------------------------------
create or replace function internal.hold_lapse_all(
    i_wallets  uuid[],
    i_events   jsonb)
returns jsonb
language plpgsql
as $$
begin
    perform internal.lot_lapse(w.tenant_id, w.wallet_id)
       from podi.wallet w
      where w.wallet_id = any (i_wallets);

    return (
    select jsonb_agg(case when w.wallet_id is null then e.event
                     else jsonb_set(e.event, '{data}', e.event -> 'data'
                          || jsonb_build_object('available', w.available,
                                 'frozen', w.held, 'seq', w.seq)) end
                     order by e.ord)
      from (select x.value as event, x.ordinality as ord,
                   row_number() over (partition by x.value -> 'user_id'
                                      order by x.ordinality desc) as nth
              from jsonb_array_elements(i_events) with ordinality x) e
      left join podi.wallet w
        on e.nth = 1 and w.wallet_id = any (i_wallets)
           and w.user_id = (e.event ->> 'user_id')::uuid
           and w.tenant_id = (e.event ->> 'tenant_id')::uuid);
end
$$;
