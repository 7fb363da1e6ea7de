-- ----------------------------------------------------------------------
-- sys.queue_put(queue)
--
--      Adds a queue, or changes the members given of one that is there.
--      Paused: jobs are accepted and wait.
--
-- Returns:  queue, is_new
-- Raises:   U0422 a member that is not known;
--           23502, 23514 a member that is missing or out of range
-- Writes:   podi.queue_type
-- Called:   whatever speaks for the operator
--
--      {queue, label, state, max_crashes}
-- ----------------------------------------------------------------------
create or replace function sys.queue_put(
    i_queue  jsonb,
    out queue   text,
    out is_new  boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_old  queue_type;
    v_new  queue_type;
    v_bad  text;
begin
    select q.* into v_old
      from queue_type q
     where q.queue = i_queue ->> 'queue'
       for update;
    is_new := not found;

    select k.name into v_bad
      from jsonb_object_keys(i_queue) k (name)
     where not to_jsonb(v_old) ? k.name
     limit 1;
    if found then
        raise exception 'a queue has no such %', v_bad
              using errcode = 'U0422',
                    detail = json_build_object('field', v_bad);
    end if;

    v_new := jsonb_populate_record(null::queue_type,
        case when is_new
             then jsonb '{"state": "active", "max_crashes": 3}'
             else to_jsonb(v_old) end || i_queue);

    insert into queue_type as t select v_new.*
        on conflict on constraint queue_type_pkey do update
       set label = excluded.label, state = excluded.state,
           max_crashes = excluded.max_crashes;
    queue := v_new.queue;
end
$$;
