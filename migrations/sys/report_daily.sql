-- ----------------------------------------------------------------------
-- sys.report_daily(day)
--
--      What points and providers' money did on a day (UTC; NULL: yesterday),
--      by tenant, and in all (tenant NULL, first).
--
-- Returns:  tenant (slug), granted, frozen, spent, released, lapsed, refunded,
--           added, taken (adjustments) in points; attempts with a cost that
--           ended, and cost_micros of them; losses, loss_micros: those whose
--           job ended without a charge, which nobody pays for
-- Raises:   nothing
-- Writes:   nothing
-- Called:   whatever reports
--
--      No attempt takes longer than a day (action_timeout_ck), so that two days
--      before hold all that ended on this one, and the index by start serves.
-- ----------------------------------------------------------------------
create or replace function sys.report_daily(i_day date)
returns table (
    tenant       text,
    granted      bigint,
    frozen       bigint,
    spent        bigint,
    released     bigint,
    lapsed       bigint,
    refunded     bigint,
    added        bigint,
    taken        bigint,
    attempts     bigint,
    cost_micros  bigint,
    losses       bigint,
    loss_micros  bigint)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
declare
    v_from  timestamptz := coalesce(i_day, (now() at time zone 'UTC')::date - 1)
                           ::timestamp at time zone 'UTC';
begin
    return query
    with moved as (
        select l.tenant_id, l.op || case when l.op = 'adjust'
                   and l.credit = 'available' then '+' else '' end as what,
               l.amount, null::bigint as cost, false as lost
          from ledger l
         where l.at >= v_from and l.at < v_from + interval '1 day'
        union all
        select a.tenant_id, 'attempt', 0, a.cost_micros,
               j.settled_fence is not null and coalesce(j.charged, 0) = 0
          from attempt a
          join job j on j.job_id = a.job_id and j.tenant_id = a.tenant_id
         where a.started_at >= v_from - interval '2 days'
           and a.started_at < v_from + interval '1 day'
           and a.ended_at >= v_from and a.ended_at < v_from + interval '1 day'
           and a.cost_micros > 0)
    select t.slug,
           coalesce(sum(m.amount) filter (where m.what = 'grant'), 0)::bigint,
           coalesce(sum(m.amount) filter (where m.what = 'freeze'), 0)::bigint,
           coalesce(sum(m.amount) filter (where m.what = 'confirm'), 0)::bigint,
           coalesce(sum(m.amount) filter (where m.what = 'release'), 0)::bigint,
           coalesce(sum(m.amount) filter (where m.what = 'lapse'), 0)::bigint,
           coalesce(sum(m.amount) filter (where m.what = 'refund'), 0)::bigint,
           coalesce(sum(m.amount) filter (where m.what = 'adjust+'), 0)::bigint,
           coalesce(sum(m.amount) filter (where m.what = 'adjust'), 0)::bigint,
           count(m.cost), coalesce(sum(m.cost), 0)::bigint,
           count(m.cost) filter (where m.lost),
           coalesce(sum(m.cost) filter (where m.lost), 0)::bigint
      from moved m
      join podi.tenant t on t.tenant_id = m.tenant_id
     group by grouping sets ((), (t.slug))
     order by t.slug nulls first;
end
$$;
