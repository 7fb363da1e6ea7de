-- ----------------------------------------------------------------------
-- internal.remote_room(job, fence, state, provider, ref, slots)
--
--      Whether a ComfyUI server has room for an attempt; see
--      sys.attempt_remote.  Locks the row of the server until the end of the
--      transaction, so that two do not count the same room.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  NULL: it has, or nobody needs to know; gone or full
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.attempt_remote
-- ----------------------------------------------------------------------
create or replace function internal.remote_room(
    i_job       uuid,
    i_fence     int,
    i_state     text,
    i_provider  text,
    i_ref       text,
    i_slots     int)
returns text
language plpgsql
as $$
declare
    v_state  text;
begin
    if i_slots is null or i_state = 'ended' or exists (
       select 1 from podi.attempt t
        where t.job_id = i_job and t.fence <= i_fence
              and t.provider = i_provider
              and t.provider_ref is not distinct from i_ref
              and t.remote_state in ('intended', 'submitted'))
    then
        return null;
    end if;

    select s.state into v_state
      from podi.comfy_server s
     where 'comfy:' || s.server = i_provider
       for no key update;
    if v_state is distinct from 'active' then
        return 'gone';
    end if;

    return case when i_slots <= (
           select count(*)
             from podi.attempt t
            where t.provider = i_provider and t.outcome = 'running'
                  and t.remote_state in ('intended', 'submitted')
                  and not (t.job_id = i_job and t.fence = i_fence))
           then 'full' end;
end
$$;
