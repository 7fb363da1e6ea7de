-- ----------------------------------------------------------------------
-- api.wallet_read()
--
--      The caller's points.  What has expired but has not lapsed yet is not
--      counted as available.
--
-- Returns:  wallet_id, available, frozen, expiring_soon (within 7 days),
--           expiring_at (the first of them), seq
-- Raises:   U0404 the caller has no wallet
-- Writes:   nothing
-- Called:   wallet/ngx_http_podi_wallet_read.c
-- ----------------------------------------------------------------------
create or replace function api.wallet_read(
    out wallet_id      uuid,
    out available      bigint,
    out frozen         bigint,
    out expiring_soon  bigint,
    out expiring_at    timestamptz,
    out seq            bigint)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
begin
    perform internal.enter('user', 'admin');

    select w.wallet_id, internal.wallet_available(w.tenant_id, w.wallet_id),
           w.held, l.soon, l.first, w.seq
      into wallet_id, available, frozen, expiring_soon, expiring_at, seq
      from wallet w
     cross join lateral (
           select coalesce(sum(l.avail), 0)::bigint, min(l.expires_at)
             from lot l
            where l.tenant_id = w.tenant_id and l.wallet_id = w.wallet_id
              and l.avail > 0 and l.expires_at > now()
              and l.expires_at <= now() + interval '7 days')
           as l (soon, first)
     where w.tenant_id = internal.tenant()
       and w.user_id = internal.user_id();
    if not found then
        raise exception 'no wallet' using errcode = 'U0404';
    end if;
end
$$;
