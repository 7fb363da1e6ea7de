-- ----------------------------------------------------------------------
-- sys.comfy_server_remove(server)
--
--      Takes a ComfyUI server away, when nothing of ours is there, nor what ended
--      jobs have left: without its address nobody could bring that to its end.
--
-- Returns:  server
-- Raises:   U0404 there is no such server; U0409 it was not disabled, or
--           something of ours is there
-- Writes:   podi.comfy_server, podi.comfy_seen, podi.operator_audit
-- Called:   podictl comfy server remove; internal.comfy_prune,
--           api.admin_server_remove
-- ----------------------------------------------------------------------
create or replace function sys.comfy_server_remove(i_server text, out server text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_state  text;
begin
    select s.state into v_state from comfy_server s
     where s.server = i_server
       for update;
    if not found then
        raise exception 'there is no such server' using errcode = 'U0404';
    elsif v_state <> 'disabled' then
        raise exception 'disable it first' using errcode = 'U0409';
    elsif exists (select 1 from attempt t
                   where t.provider = 'comfy:' || i_server
                         and t.remote_state in ('intended', 'submitted', 'left'))
    then
        raise exception 'jobs are there, or what they left'
              using errcode = 'U0409';
    end if;

    delete from comfy_server s where s.server = i_server;
    perform internal.operator_audit('comfy_server.remove',
                jsonb_build_object('server', i_server));
    server := i_server;
end
$$;
