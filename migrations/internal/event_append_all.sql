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
-- Called:   internal.job_claims and every function that ends jobs in batches
--
--      events: [{tenant_id, user_id, type, task_id, job_id, trace_id, data}],
--      in the order in which each user shall read them; the last four may be
--      missing.  Mostly they are of one user, and then there is less to do.
-- ----------------------------------------------------------------------
drop function if exists internal.event_append_all(jsonb, jsonb);
create or replace function internal.event_append_all(i_events jsonb)
returns jsonb
language plpgsql
as $$
declare
    c_none    constant jsonb := '{"task_id": null, "job_id": null,
                                  "trace_id": null, "data": {}}';
    v_all     jsonb[];
    v_event   jsonb;
    v_whose   text;
    v_tops    jsonb := '{}';
    v_top     bigint;
    v_at      timestamptz;
    v_stored  jsonb[] := '{}';
begin
    if not i_events @? '$[*] ? (@.user_id != $[0].user_id
                                || @.tenant_id != $[0].tenant_id)' then
        return internal.event_append((i_events #>> '{0,tenant_id}')::uuid,
                   (i_events #>> '{0,user_id}')::uuid, i_events);
    end if;

    v_all := array(select c_none || e.value
                     from jsonb_array_elements(i_events) e);
    foreach v_event in array v_all loop
        v_whose := (v_event ->> 'tenant_id') || (v_event ->> 'user_id');
        v_tops := v_tops || jsonb_build_object(v_whose,
                      coalesce((v_tops -> v_whose)::int, 0) + 1);
    end loop;

    -- keys of one length come in ascending order
    for v_whose, v_top in select t.key, t.value from jsonb_each(v_tops) t loop
        update podi.user_head h
           set top = h.top + v_top
         where h.user_id = substr(v_whose, 37)::uuid
               and h.tenant_id = left(v_whose, 36)::uuid
        returning h.top - v_top into v_top;
        if not found then
            raise exception 'no event head of user %', substr(v_whose, 37)
                  using errcode = 'U0404';
        end if;
        v_tops := v_tops || jsonb_build_object(v_whose, v_top);
    end loop;

    v_at := clock_timestamp();
    foreach v_event in array v_all loop
        v_whose := (v_event ->> 'tenant_id') || (v_event ->> 'user_id');
        v_top := (v_tops -> v_whose)::bigint + 1;
        v_tops := v_tops || jsonb_build_object(v_whose, v_top);
        v_stored := v_stored || (v_event || jsonb_build_object(
                        'seq', v_top, 'at', internal.rfc3339(v_at)));
    end loop;

    insert into podi.user_event (tenant_id, user_id, seq, at, type, task_id,
                                 job_id, trace_id, data)
    select (e.v ->> 'tenant_id')::uuid, (e.v ->> 'user_id')::uuid,
           (e.v -> 'seq')::bigint, v_at, e.v ->> 'type',
           (e.v ->> 'task_id')::uuid, (e.v ->> 'job_id')::uuid,
           e.v ->> 'trace_id', e.v -> 'data'
      from unnest(v_stored) e (v);

    return to_jsonb(v_stored);
end
$$;
