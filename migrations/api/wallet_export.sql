-- ----------------------------------------------------------------------
-- api.wallet_export(after, limit, from, to)
--
--      A page of the caller's ledger, oldest first, for the file of all of it.
--      after is the last seq of the page before, 0 for the first; from and to
--      may be NULL.
--
-- Returns:  the columns of podi.entry_card
-- Raises:   nothing of its own
-- Writes:   nothing
-- Called:   wallet/ngx_http_podi_wallet_export.c
-- ----------------------------------------------------------------------
create or replace function api.wallet_export(
    i_after  bigint,
    i_limit  int,
    i_from   timestamptz,
    i_to     timestamptz)
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
       and l.seq > i_after
       and (i_from is null or l.at >= i_from)
       and (i_to is null or l.at < i_to)
     order by l.seq
     limit i_limit;
end
$$;
