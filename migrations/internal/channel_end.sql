-- ----------------------------------------------------------------------
-- internal.channel_end(channel)
--
--      Ends the sessions and API keys that a channel gave out, in all tenants:
--      they would be good for new tokens.  Reads every live session, for an
--      operator who does so once in a while.  Invoker rights.
--
-- Returns:  o_ended, how many; o_events
-- Raises:   nothing
-- Writes:   as internal.sessions_end
-- Called:   sys.revoke
-- ----------------------------------------------------------------------
create or replace function internal.channel_end(
    i_channel  text,
    out o_ended   int,
    out o_events  jsonb)
language plpgsql
set search_path = podi, pg_temp
as $$
declare
    v_who  record;
    v_end  record;
begin
    o_ended := 0;
    o_events := '[]';

    -- in one order, so that two of these cannot lock each other out
    for v_who in
        select distinct s.tenant_id, s.user_id
          from session s
         where s.channel = i_channel and s.revoked_at is null
         order by 1, 2
    loop
        v_end := internal.sessions_end(v_who.tenant_id, v_who.user_id, null,
                     true, 'admin', 'account.revoke', i_channel);
        o_ended := o_ended + cardinality(v_end.o_ended);
        o_events := o_events || v_end.o_events;
    end loop;
end
$$;
