-- ----------------------------------------------------------------------
-- api.wallet_entries(before, limit, type, from, to, task)
--
--      The caller's ledger, newest first; every filter may be NULL.  before
--      is the last seq of the page before.
--
-- Returns:  the columns of podi.entry_card
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
returns setof podi.entry_card
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin');
    return query
    select c.*
      from wallet w
      join ledger l on l.tenant_id = w.tenant_id
                   and l.wallet_id = w.wallet_id
     cross join lateral internal.entry_card(l) c
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
