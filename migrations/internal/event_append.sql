-- ----------------------------------------------------------------------
-- internal.event_append(tenant, user, events)
--
--      Numbers and stores events of one user: [{"type", "task_id"?,
--      "job_id"?, "trace_id"?, "data"?}, ...] in the order given.  The head's
--      row lock is held to commit, so that a user's numbers are dense and in
--      commit order.  It is the last lock of all: call it last.  Invoker
--      rights.
--
-- Returns:  the events as stored, with tenant_id, user_id, seq and at added:
--           what the caller returns as _events
-- Raises:   U0404 the user has no head
-- Writes:   podi.user_head, podi.user_event
-- Called:   whatever tells a user something
-- ----------------------------------------------------------------------
create or replace function internal.event_append(
    i_tenant  uuid,
    i_user    uuid,
    i_events  jsonb)
returns jsonb
language plpgsql
set search_path = podi, pg_temp
as $$
declare
    v_n       int := coalesce(jsonb_array_length(i_events), 0);
    v_stored  jsonb;
begin
    if v_n = 0 then
        return '[]';
    end if;

    with h as (
        update user_head h
           set top = h.top + v_n
         where h.tenant_id = i_tenant and h.user_id = i_user
        returning h.top - v_n as base, clock_timestamp() as at
    ), s as (
        select h.base + e.ordinality as seq, h.at, e.value ->> 'type' as type,
               (e.value ->> 'task_id')::uuid as task_id,
               (e.value ->> 'job_id')::uuid as job_id,
               e.value ->> 'trace_id' as trace_id,
               coalesce(e.value -> 'data', '{}') as data
          from h
         cross join jsonb_array_elements(i_events) with ordinality e
    ), w as (
        insert into user_event (tenant_id, user_id, seq, at, type, task_id,
                                job_id, trace_id, data)
        select i_tenant, i_user, s.seq, s.at, s.type, s.task_id, s.job_id,
               s.trace_id, s.data
          from s
    )
    select jsonb_agg(jsonb_build_object(
               'tenant_id', i_tenant, 'user_id', i_user, 'seq', s.seq,
               'at', internal.rfc3339(s.at), 'type', s.type,
               'task_id', s.task_id, 'job_id', s.job_id,
               'trace_id', s.trace_id, 'data', s.data) order by s.seq)
      into v_stored
      from s;

    if v_stored is null then
        raise exception 'no event head of user %', i_user
              using errcode = 'U0404';
    end if;
    return v_stored;
end
$$;
