-- ----------------------------------------------------------------------
-- internal.event_append_all(events)
--
--      Numbers and stores events of any number of users, in the order given.
--      The heads are locked ascending and held to commit, so that a user's
--      numbers are dense and in commit order.  They are the last locks of
--      all: call it last.  This is the only place that takes more than one.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, the events as stored, with tenant_id, user_id, seq and at
-- Raises:   U0404 a user has no head
-- Writes:   podi.user_head, podi.user_event
-- Called:   internal.event_append, sys.job_claim and every
--           function that ends jobs in batches
--
--      events: [{tenant_id, user_id, type, task_id, job_id, trace_id, data}],
--      in the order in which each user shall read them; the last four may be
--      missing.
-- ----------------------------------------------------------------------
create or replace function internal.event_append_all(i_events jsonb)
returns jsonb
language plpgsql
as $$
declare
    c_none    constant jsonb := '{"task_id": null, "job_id": null,
                                  "trace_id": null, "data": {}}';
    v_user    record;
    v_base    bigint;
    v_bases   jsonb := '{}';
    v_at      timestamptz;
    v_stored  jsonb;
begin
    if i_events = '[]' then
        return i_events;
    end if;

    for v_user in
        select e.tenant_id, e.user_id, count(*) as n
          from jsonb_to_recordset(i_events) e (tenant_id uuid, user_id uuid)
         group by e.user_id, e.tenant_id
         order by e.user_id, e.tenant_id
    loop
        update podi.user_head h
           set top = h.top + v_user.n
         where h.user_id = v_user.user_id and h.tenant_id = v_user.tenant_id
        returning h.top - v_user.n into v_base;
        if not found then
            raise exception 'no event head of user %', v_user.user_id
                  using errcode = 'U0404';
        end if;
        v_bases := v_bases || jsonb_build_object(
                                  v_user.tenant_id || '/' || v_user.user_id,
                                  v_base);
    end loop;

    v_at := clock_timestamp();
    with s as (
        select c_none || e.value as v, e.ordinality as n,
               (v_bases -> k.whose)::bigint
               + row_number() over (partition by k.whose order by e.ordinality)
                   as seq
          from jsonb_array_elements(i_events) with ordinality e
         cross join lateral (
               select (e.value ->> 'tenant_id') || '/'
                      || (e.value ->> 'user_id') as whose) k
    ), w as (
        insert into podi.user_event (tenant_id, user_id, seq, at, type, task_id,
                                     job_id, trace_id, data)
        select (s.v ->> 'tenant_id')::uuid, (s.v ->> 'user_id')::uuid, s.seq,
               v_at, s.v ->> 'type', (s.v ->> 'task_id')::uuid,
               (s.v ->> 'job_id')::uuid, s.v ->> 'trace_id', s.v -> 'data'
          from s
    )
    select jsonb_agg(s.v || jsonb_build_object('seq', s.seq,
                         'at', internal.rfc3339(v_at)) order by s.n)
      into v_stored
      from s;

    return v_stored;
end
$$;
