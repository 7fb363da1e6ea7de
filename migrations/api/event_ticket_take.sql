-- ----------------------------------------------------------------------
-- api.event_ticket_take(hash)
--
--      Uses a ticket up.  The second taker finds nothing.
--
-- Returns:  user_id, session_id, role, session_expires_at, token, issued_at,
--           channel, as of the token that asked for it; no row when the ticket
--           is unknown, used or old, its session has ended or its token was
--           revoked
-- Raises:   nothing of its own
-- Writes:   podi.event_ticket
-- Called:   event/, when a stream opens with a ticket
-- ----------------------------------------------------------------------
drop function if exists api.event_ticket_take(bytea);
create or replace function api.event_ticket_take(i_hash bytea)
returns table (
    user_id             uuid,
    session_id          uuid,
    role                text,
    session_expires_at  timestamptz,
    token               text,
    issued_at           timestamptz,
    channel             text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_session  uuid;
    v_token    text;
    v_issued   timestamptz;
    v_channel  text;
begin
    perform internal.enter('any');

    delete from event_ticket e
     where e.tenant_id = internal.tenant() and e.ticket_hash = i_hash
    returning case when e.expires_at > now() then e.session_id end,
              e.token, e.issued_at, e.channel
         into v_session, v_token, v_issued, v_channel;

    return query
    select s.user_id, s.session_id, u.role, s.idle_expiry, v_token,
           v_issued, v_channel
      from session s
      join users u on u.tenant_id = s.tenant_id and u.user_id = s.user_id
     where s.tenant_id = internal.tenant() and s.session_id = v_session
       and s.revoked_at is null and s.idle_expiry > now()
       and u.state = 'active'
       and internal.revocation_kind('podi', s.user_id::text, s.session_id::text,
                                    v_token, v_channel, v_issued) is null;
end
$$;
