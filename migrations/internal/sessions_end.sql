-- ----------------------------------------------------------------------
-- internal.sessions_end(tenant, user, session, keys, reason, verb, channel)
--
--      Ends the live sessions of a user, or one of them, or those of a channel,
--      and tells him; those of API keys only with keys.  Invoker rights.
--
-- Returns:  o_ended, their ids; o_events
-- Raises:   nothing
-- Writes:   podi.session, podi.event_ticket, podi.audit, podi.user_event
-- Called:   api.session_end_all, sys.revoke, internal.channel_end
-- ----------------------------------------------------------------------
create or replace function internal.sessions_end(
    i_tenant   uuid,
    i_user     uuid,
    i_session  uuid,
    i_keys     boolean,
    i_reason   text,
    i_verb     text,
    i_channel  text default null,
    out o_ended   uuid[],
    out o_events  jsonb)
language plpgsql
set search_path = podi, pg_temp
as $$
begin
    with ended as (
        update session s
           set revoked_at = clock_timestamp(), revoke_reason = i_reason
         where s.tenant_id = i_tenant and s.user_id = i_user
           and s.session_id = coalesce(i_session, s.session_id)
           and (i_channel is null or s.channel = i_channel)
           and (i_keys or s.identity_source <> 'api_key')
           and s.revoked_at is null
        returning s.session_id)
    select coalesce(array_agg(e.session_id order by e.session_id), '{}')
      into o_ended from ended e;

    o_events := '[]';
    if o_ended = '{}' then
        return;
    end if;

    delete from event_ticket e
     where e.tenant_id = i_tenant and e.session_id = any (o_ended);
    perform internal.audit_append(i_tenant, i_verb, i_user,
            jsonb_build_object('sessions', to_jsonb(o_ended),
                               'reason', i_reason));
    o_events := internal.event_append(i_tenant, i_user,
            (select jsonb_agg(jsonb_build_object(
                        'type', 'session.revoked',
                        'data', jsonb_build_object('session_id', e.id,
                                                   'reason', i_reason)))
               from unnest(o_ended) as e (id)));
end
$$;
