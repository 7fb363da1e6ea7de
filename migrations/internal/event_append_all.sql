-- ----------------------------------------------------------------------
-- internal.event_append_all(events)
--
--      Appends the events of any number of users, one user head after the
--      other in ascending order: user heads are the last locks, and this is
--      the only place that takes more than one of them.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, the events with user_id, seq and at
-- Raises:   nothing
-- Writes:   podi.user_head, podi.user_event
-- Called:   sys.job_claim and every function that ends jobs in batches
--
--      events: [{tenant_id, user_id, type, task_id, job_id, trace_id, data}],
--      in the order in which each user shall read them.
-- ----------------------------------------------------------------------
create or replace function internal.event_append_all(i_events jsonb)
returns jsonb
language plpgsql
as $$
declare
    v_user  record;
    v_all   jsonb := '[]';
begin
    for v_user in
        select (e.value ->> 'tenant_id')::uuid as tenant_id,
               (e.value ->> 'user_id')::uuid   as user_id,
               jsonb_agg(e.value order by e.ordinality) as events
          from jsonb_array_elements(i_events) with ordinality e
         group by 1, 2
         order by 2, 1
    loop
        v_all := v_all || internal.event_append(v_user.tenant_id,
                                                v_user.user_id,
                                                v_user.events);
    end loop;

    return v_all;
end
$$;
