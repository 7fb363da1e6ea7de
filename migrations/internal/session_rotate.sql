-- ----------------------------------------------------------------------
-- internal.session_rotate(session, counter, idle)
--
--      Judges a presented refresh counter and moves the session on.
--
--      the newest      -> rotated: the next one is handed out
--      one behind      -> repeated: the newest again.  A second tab, or an
--                         answer that was lost.  The newest was never
--                         presented (to present it is to rotate it), so
--                         nobody but the holder of this one can have it.
--      anything else   -> replay: somebody kept an old one
--      dead session    -> refused
--
--      Invoker rights.
--
-- Returns:  rotated, repeated, replay or refused
-- Raises:   nothing
-- Writes:   podi.session
-- Called:   api.session_refresh
-- ----------------------------------------------------------------------
create or replace function internal.session_rotate(
    i_session  uuid,
    i_counter  bigint,
    i_idle_ms  bigint)
returns text
language plpgsql
set search_path = podi, pg_temp
as $$
declare
    v_counter  bigint;
begin
    select s.rt_counter into v_counter
      from session s
      join users u on u.tenant_id = s.tenant_id and u.user_id = s.user_id
     where s.tenant_id = internal.tenant() and s.session_id = i_session
       and s.revoked_at is null and s.idle_expiry > now()
       and u.state = 'active'
       for update of s;
    if not found then
        return 'refused';
    end if;
    if i_counter is null or i_counter not in (v_counter, v_counter - 1) then
        return 'replay';
    end if;

    update session s
       set rt_counter = i_counter + 1,
           rotated_at = case i_counter when v_counter then now()
                                       else s.rotated_at end,
           last_seen = now(),
           idle_expiry = least(now() + i_idle_ms * interval '1 ms',
                               s.abs_expiry)
     where s.tenant_id = internal.tenant() and s.session_id = i_session;
    return case i_counter when v_counter then 'rotated' else 'repeated' end;
end
$$;
