-- ----------------------------------------------------------------------
-- api.quota_list()
--
--      The budgets that hold for the caller: his own and his tenant's.
--
-- Returns:  scope, meter, period, limit, used, reserved, resets_at (NULL: it
--           does not begin anew)
-- Raises:   U0401, U0403
-- Writes:   nothing
-- Called:   task/ngx_http_podi_quota_list.c
-- ----------------------------------------------------------------------
create or replace function api.quota_list()
returns table (
    scope      text,
    meter      text,
    period     text,
    "limit"    bigint,
    used       bigint,
    reserved   bigint,
    resets_at  timestamptz)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin');

    return query
    select b.scope, b.meter, b.period, b.most, coalesce(u.used, 0),
           coalesce(u.reserved, 0), b.resets_at
      from internal.quota_bounds(internal.tenant(), internal.user_id()) b
      left join quota_use u
        on u.subject = b.subject and u.meter = b.meter
           and u.period = b.period and u.period_start = b.period_start
           and u.tenant_id = internal.tenant()
     order by b.scope, b.meter, b.period;
end
$$;
