-- ----------------------------------------------------------------------
-- internal.quota_fault(quota)
--
--      Whether {scope, meter, period, most} is a budget.
--
-- Returns:  the name of the first member that is wrong; NULL for none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.quota_put, internal.quotas_fault
-- ----------------------------------------------------------------------
create or replace function internal.quota_fault(i_quota jsonb)
returns text
language sql immutable
as $$
    select case
           when jsonb_typeof(i_quota) <> 'object'
                or i_quota - '{scope,meter,period,most}'::text[] <> '{}'
                                                        then 'quotas'
           when coalesce(i_quota ->> 'scope' not in ('tenant', 'user'), true)
                                                        then 'scope'
           when coalesce(i_quota ->> 'meter' not in ('points', 'tasks', 'calls',
                             'tokens', 'in_flight'), true)
                                                        then 'meter'
           when coalesce(case i_quota ->> 'meter' when 'in_flight'
                         then i_quota ->> 'period' <> 'none'
                         else i_quota ->> 'period' not in ('day', 'month') end,
                         true)                          then 'period'
           when coalesce(jsonb_typeof(i_quota -> 'most') <> 'number'
                or i_quota ->> 'most' !~ '^\d{1,15}$', true)
                                                        then 'most'
           end
$$;
