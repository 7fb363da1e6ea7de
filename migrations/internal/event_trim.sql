-- ----------------------------------------------------------------------
-- internal.event_trim(limit, keep)
--
--      Deletes events older than keep, at most limit of them, and raises the
--      floor of their users to the last one deleted.  A user's go from the
--      oldest on, up to the first that is young enough, so that the rest
--      stays dense.  Users who are being told something are left for the
--      next call.  Takes user heads, the last locks, without waiting: call it
--      last.  Invoker rights.
--
-- Returns:  how many events
-- Raises:   nothing
-- Writes:   podi.user_event, podi.user_head
-- Called:   sys.purge
-- ----------------------------------------------------------------------
create or replace function internal.event_trim(i_limit int, i_keep interval)
returns bigint
language plpgsql
set search_path = podi, pg_temp
as $$
declare
    v_head   record;
    v_stays  record;
    v_floor  bigint;
    v_left   bigint := i_limit;
begin
    for v_head in
        select h.tenant_id, h.user_id, h.floor, h.top
          from user_head h
         where h.trim_at <= now()
         order by h.trim_at
         limit i_limit
           for no key update skip locked
    loop
        exit when v_left = 0;

        select e.seq, e.at into v_stays
          from user_event e
         where e.tenant_id = v_head.tenant_id and e.user_id = v_head.user_id
               and e.seq <= v_head.floor + v_left and e.at > now() - i_keep
         order by e.seq
         limit 1;
        v_floor := coalesce(v_stays.seq - 1,
                            least(v_head.top, v_head.floor + v_left));

        delete from user_event e
         where e.tenant_id = v_head.tenant_id and e.user_id = v_head.user_id
               and e.seq <= v_floor;
        update user_head h
           set floor = v_floor,
               trim_at = case
                   when v_stays.seq is not null
                        then greatest(v_stays.at + i_keep,
                                      now() + interval '1 hour')
                   when v_floor = v_head.top then now() + i_keep
                   else h.trim_at end
         where h.tenant_id = v_head.tenant_id and h.user_id = v_head.user_id;
        v_left := v_left - (v_floor - v_head.floor);
    end loop;
    return i_limit - v_left;
end
$$;
