-- ----------------------------------------------------------------------
-- sys.comfy_server_open(server)
--
--      One ComfyUI server, as it is talked to.
--
-- Returns:  url, auth, ca_file, targeted_interrupt (as far as it was seen), keys
--           as sys.comfy_servers gives them
-- Raises:   U0404 there is no such server
-- Writes:   nothing
-- Called:   podictl comfy workflow dry-run
-- ----------------------------------------------------------------------
create or replace function sys.comfy_server_open(i_server text)
returns table (
    url                 text,
    auth                jsonb,
    ca_file             text,
    targeted_interrupt  boolean,
    keys                jsonb)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select s.url, s.auth, s.ca_file,
           coalesce(e.targeted_interrupt, false),
           internal.comfy_server_keys(s.auth)
      from comfy_server s
      left join comfy_seen e on e.server = s.server
     where s.server = i_server;
    if not found then
        raise exception 'there is no such server' using errcode = 'U0404';
    end if;
end
$$;
