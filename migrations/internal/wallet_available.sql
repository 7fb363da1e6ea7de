-- ----------------------------------------------------------------------
-- internal.wallet_available(tenant, wallet)
--
--      What can be spent now: the one meaning of "available" that users see.
--      The wallet's row counts an expired lot until it lapses, which happens
--      before points are moved, not when they are looked at.  Invoker rights.
--
-- Returns:  the points; NULL for no wallet
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.wallet_read, api.task_quote, api.event_snapshot
-- ----------------------------------------------------------------------
create or replace function internal.wallet_available(
    i_tenant  uuid,
    i_wallet  uuid)
returns bigint
language plpgsql stable
set search_path = podi, pg_temp
as $$
begin
    return (
    select w.available - (
           select coalesce(sum(l.avail), 0)::bigint
             from lot l
            where l.tenant_id = w.tenant_id and l.wallet_id = w.wallet_id
                  and l.live and l.expires_at <= now())
      from wallet w
     where w.tenant_id = i_tenant and w.wallet_id = i_wallet);
end
$$;
