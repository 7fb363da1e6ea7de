-- ----------------------------------------------------------------------
-- internal.quotas_fault(quotas)
--
--      Whether a list of budgets, as plans have one, can be read, and has one
--      at most of each scope, meter and period; NULL is one.
--
-- Returns:  the name of the first member that is wrong; NULL for none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.plan_put
-- ----------------------------------------------------------------------
create or replace function internal.quotas_fault(i_quotas jsonb)
returns text
language sql immutable
as $$
    select case when i_quotas is null                  then null
           when jsonb_typeof(i_quotas) <> 'array'      then 'quotas'
           else (select coalesce(min(internal.quota_fault(q.value)),
                            case when count(*) > count(distinct (
                                      q.value -> 'scope', q.value -> 'meter',
                                      q.value -> 'period'))
                                 then 'quotas' end)
                   from jsonb_array_elements(i_quotas) q) end
$$;
