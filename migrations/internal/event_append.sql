-- ----------------------------------------------------------------------
-- internal.event_append(tenant, user, events)
--
--      Numbers and stores events of one user, in the order given: [{"type",
--      "task_id"?, "job_id"?, "trace_id"?, "data"?}, ...].  His head is locked
--      and held to commit, so that his numbers are dense and in commit order.
--      It is the last lock of all: call it last.
--      Runs as its caller; called only by functions that pin search_path.
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
as $$
declare
    v_n       int := jsonb_array_length(i_events);
    v_top     bigint;
    v_at      timestamptz;
    v_all     jsonb;
    v_stored  jsonb[] := '{}';
begin
    if v_n = 0 then
        return i_events;
    end if;

    update podi.user_head h
       set top = h.top + v_n
     where h.user_id = i_user and h.tenant_id = i_tenant
    returning h.top - v_n into v_top;
    if not found then
        raise exception 'no event head of user %', i_user using errcode = 'U0404';
    end if;

    v_at := clock_timestamp();
    v_all := jsonb_build_object('tenant_id', i_tenant, 'user_id', i_user,
                 'at', internal.rfc3339(v_at), 'task_id', null, 'job_id', null,
                 'trace_id', null, 'data', jsonb '{}');
    for i in 1 .. v_n loop
        v_stored[i] := v_all || (i_events -> (i - 1))
                       || jsonb_build_object('seq', v_top + i);
    end loop;

    insert into podi.user_event (tenant_id, user_id, seq, at, type, task_id,
                                 job_id, trace_id, data)
    select i_tenant, i_user, v_top + e.n, v_at, e.v ->> 'type',
           (e.v ->> 'task_id')::uuid, (e.v ->> 'job_id')::uuid,
           e.v ->> 'trace_id', e.v -> 'data'
      from unnest(v_stored) with ordinality e (v, n);

    return to_jsonb(v_stored);
end
$$;
