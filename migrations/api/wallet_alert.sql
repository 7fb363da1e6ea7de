-- ----------------------------------------------------------------------
-- api.wallet_alert(threshold)
--
--      Sets below how many points the caller wants wallet.low: NULL is what
--      the plan of the tenant says, 0 is never.  It is due again after this.
--
-- Returns:  threshold that is in force; own: whether it is the wallet's own
-- Raises:   U0404 the caller has no wallet; U0422 the threshold is wrong
-- Writes:   podi.wallet
-- Called:   wallet/ngx_http_podi_wallet_alert.c
-- ----------------------------------------------------------------------
create or replace function api.wallet_alert(
    i_threshold  bigint,
    out threshold  bigint,
    out own        boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
begin
    perform internal.enter('user', 'admin');

    if i_threshold not between 0 and 1000000000000000 then
        raise exception 'wrong threshold'
              using errcode = 'U0422', detail = '{"field":"threshold"}';
    end if;

    update wallet w
       set low_points = i_threshold, low_until = null
      from tenant t
      join plan p on p.plan = t.plan
     where w.user_id = internal.user_id() and w.tenant_id = internal.tenant()
       and t.tenant_id = w.tenant_id
    returning coalesce(w.low_points, p.low_points), w.low_points is not null
         into threshold, own;
    if not found then
        raise exception 'no wallet' using errcode = 'U0404';
    end if;
end
$$;
