-- ----------------------------------------------------------------------
-- internal.entry_totals(tenant, wallet, after, last)
--
--      What moved in a wallet behind one entry up to another, by type.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb [{type, entries, amount, available_change, frozen_change}]
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.wallet_statement
-- ----------------------------------------------------------------------
create or replace function internal.entry_totals(
    i_tenant  uuid,
    i_wallet  uuid,
    i_after   bigint,
    i_last    bigint)
returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(jsonb_build_object(
               'type', t.op, 'entries', t.entries, 'amount', t.amount,
               'available_change', t.available, 'frozen_change', t.held)
               order by t.op), '[]')
      from (select l.op, count(*) as entries, sum(l.amount)::bigint as amount,
                   sum(l.amount * ((l.credit = 'available')::int
                       - (l.debit = 'available')::int))::bigint as available,
                   sum(l.amount * ((l.credit = 'held')::int
                       - (l.debit = 'held')::int))::bigint as held
              from podi.ledger l
             where l.wallet_id = i_wallet and l.tenant_id = i_tenant
               and l.seq > i_after and l.seq <= i_last
             group by l.op) t
$$;
