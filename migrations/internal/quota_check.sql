-- ----------------------------------------------------------------------
-- internal.quota_check(tenant, bounds, asked)
--
--      Whether every budget has left what is asked of it.  The caller holds
--      the locks of their rows.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0433 one has not: of several the one that begins anew last
-- Writes:   nothing
-- Called:   internal.quota_reserve
--
--      asked: {meter: amount}.  Where nothing is asked, nothing is refused; but
--      nobody knows how many tokens a job will really use, so one is asked at
--      the least: a budget of tokens that is used up refuses everything.
-- ----------------------------------------------------------------------
create or replace function internal.quota_check(
    i_tenant  uuid,
    i_bounds  podi.quota_bound[],
    i_asked   jsonb)
returns void
language plpgsql
as $$
declare
    v_full  record;
begin
    select b.*, u.used, u.reserved, a.asked into v_full
      from unnest(i_bounds) b
      join podi.quota_use u
        on (u.subject, u.meter, u.period, u.period_start, u.tenant_id)
           = (b.subject, b.meter, b.period, b.period_start, i_tenant)
     cross join lateral (
           select greatest((i_asked ->> b.meter)::bigint,
                           (b.meter = 'tokens')::int) as asked) a
     where a.asked > 0 and u.used + u.reserved + a.asked > b.most
     order by b.resets_at desc nulls last, b.scope, b.meter
     limit 1;
    if not found then
        return;
    end if;

    raise exception 'the budget of % has % of % left', v_full.meter,
                    greatest(v_full.most - v_full.used - v_full.reserved, 0),
                    v_full.most
          using errcode = 'U0433',
                detail = json_strip_nulls(json_build_object(
                    'scope', v_full.scope, 'meter', v_full.meter,
                    'period', v_full.period, 'limit', v_full.most,
                    'used', v_full.used, 'reserved', v_full.reserved,
                    'asked', v_full.asked,
                    'resets_at', internal.rfc3339(v_full.resets_at),
                    'retry_after', greatest(1, ceil(extract(epoch from
                        v_full.resets_at - clock_timestamp())))::int));
end
$$;
