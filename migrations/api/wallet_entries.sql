-- ----------------------------------------------------------------------
-- api.wallet_entries(before, limit, type, from, to, task)
--
--      The caller's ledger, newest first; every filter may be NULL.  before
--      is the last seq of the page before.
--
-- Returns:  seq, type, amount, available_change, frozen_change,
--           available_after, frozen_after, task_id, job_id, reason, at
-- Raises:   nothing of its own
-- Writes:   nothing
-- Called:   wallet/ngx_http_podi_wallet_entries.c
-- ----------------------------------------------------------------------
create or replace function api.wallet_entries(
    i_before  bigint,
    i_limit   int,
    i_type    text,
    i_from    timestamptz,
    i_to      timestamptz,
    i_task    uuid)
returns table (
    seq               bigint,
    type              text,
    amount            bigint,
    available_change  bigint,
    frozen_change     bigint,
    available_after   bigint,
    frozen_after      bigint,
    task_id           uuid,
    job_id            uuid,
    reason            text,
    at                timestamptz)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin');
    return query
    select l.seq, l.op, l.amount,
           l.amount * ((l.credit = 'available')::int
                       - (l.debit = 'available')::int),
           l.amount * ((l.credit = 'held')::int - (l.debit = 'held')::int),
           l.available_after, l.held_after, l.task_id, l.job_id, l.reason,
           l.at
      from wallet w
      join ledger l on l.tenant_id = w.tenant_id
                   and l.wallet_id = w.wallet_id
     where w.tenant_id = internal.tenant()
       and w.user_id = internal.user_id()
       and (i_before is null or l.seq < i_before)
       and (i_type is null or l.op = i_type)
       and (i_from is null or l.at >= i_from)
       and (i_to is null or l.at < i_to)
       and (i_task is null or l.task_id = i_task)
     order by l.seq desc
     limit least(greatest(coalesce(i_limit, 50), 1), 200);
end
$$;
