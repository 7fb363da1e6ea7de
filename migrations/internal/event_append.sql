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
    v_top     bigint;
    v_at      timestamptz;
    v_stored  jsonb;
begin
    if v_n = 0 then
        return '[]';
    end if;

    update user_head h
       set top = h.top + v_n
     where h.tenant_id = i_tenant and h.user_id = i_user
    returning h.top into v_top;
    if not found then
        raise exception 'no event head of user %', i_user
              using errcode = 'U0404';
    end if;
    v_at := clock_timestamp();

    with e as (
        insert into user_event (tenant_id, user_id, seq, at, type, task_id,
                                job_id, trace_id, data)
        select i_tenant, i_user, v_top - v_n + x.ord, v_at, x.e ->> 'type',
               (x.e ->> 'task_id')::uuid, (x.e ->> 'job_id')::uuid,
               x.e ->> 'trace_id', coalesce(x.e -> 'data', '{}')
          from jsonb_array_elements(i_events) with ordinality as x (e, ord)
        returning *)
    select jsonb_agg(jsonb_build_object(
               'tenant_id', e.tenant_id, 'user_id', e.user_id, 'seq', e.seq,
               'at', internal.rfc3339(e.at), 'type', e.type,
               'task_id', e.task_id, 'job_id', e.job_id,
               'trace_id', e.trace_id, 'data', e.data) order by e.seq)
      into v_stored
      from e;
    return v_stored;
end
$$;
