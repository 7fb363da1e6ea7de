-- ----------------------------------------------------------------------
-- internal.settle_fault(state, results, usage, cost, action, outputs)
--
--      Whether the parts of a settle contradict each other: a worker's
--      mistake, which must not become a fact.  Inlined, so it carries no SET
--      clause and names nothing that a search path could change.
--
-- Returns:  the name of the part that is wrong; NULL for none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.settle_judge
-- ----------------------------------------------------------------------
create or replace function internal.settle_fault(
    i_state    text,
    i_results  jsonb,
    i_usage    jsonb,
    i_cost     bigint,
    i_action   text,
    i_outputs  int)
returns text
language sql immutable
as $$
    select case
           when coalesce(i_state not in ('succeeded', 'failed', 'cancelled'),
                         true)                                   then 'state'
           when i_results is not null
                and (i_state <> 'succeeded'
                     or jsonb_typeof(i_results) <> 'array')      then 'results'
           when i_state = 'succeeded' and i_outputs > 0
                and jsonb_array_length(coalesce(i_results, '[]'))
                    < i_outputs                                  then 'results'
           when jsonb_typeof(i_usage) <> 'object'                then 'usage'
           when i_cost < 0                                       then 'cost_micros'
           when i_action = 'media.check' and i_state = 'succeeded'
                and coalesce(i_results #>> '{0,verdict}', '')
                    not in ('ready', 'rejected')      then 'results[0].verdict'
           end
$$;
