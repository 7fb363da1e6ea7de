-- ----------------------------------------------------------------------
-- api.event_ticket_issue(hash, session, ttl, token, issued, channel)
--
--      A ticket that opens one event stream, for a page that cannot send a
--      header.  Only its hash is kept; it lives five minutes at most.  token:
--      the jti that asks, when it was issued, and of which channel it is (''
--      or NULL: none); what is revoked of that ends the stream.
--
-- Returns:  expires_at
-- Raises:   U0411 the session has ended, or is not the caller's
-- Writes:   podi.event_ticket
-- Called:   event/ngx_http_podi_event_ticket.c
-- ----------------------------------------------------------------------
create or replace function api.event_ticket_issue(
    i_hash     bytea,
    i_session  uuid,
    i_ttl_ms   bigint,
    i_token    text default null,
    i_issued   timestamptz default null,
    i_channel  text default null,
    out expires_at  timestamptz)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
begin
    perform internal.enter('user', 'admin');

    insert into event_ticket as e (tenant_id, ticket_hash, user_id,
                                   session_id, token, issued_at, channel,
                                   expires_at)
    select s.tenant_id, i_hash, s.user_id, s.session_id, i_token, i_issued,
           nullif(i_channel, ''), now() + least(i_ttl_ms, 300000) * interval '1 ms'
      from session s
     where s.tenant_id = internal.tenant() and s.session_id = i_session
       and s.user_id = internal.user_id() and s.revoked_at is null
       and s.idle_expiry > now()
    returning e.expires_at into expires_at;
    if not found then
        raise exception 'the session has ended' using errcode = 'U0411';
    end if;
end
$$;
