-- ----------------------------------------------------------------------
-- sys.revoke(kind, issuer, id, tenant slug, seconds, reason)
--
--      From now on no token is believed that names this session or jti, or
--      was issued before to this user or in this channel.  A user of ours is
--      named by his UUID, or by login with a tenant; his sessions and API keys
--      end, and so do those that the channel gave out.
--
-- Returns:  kind, issuer, id, until, ended (sessions), _events
-- Raises:   U0404 no such user or session of ours; U0422
-- Writes:   podi.revocation, podi.revocation_any, podi.session,
--           podi.event_ticket, podi.audit, podi.user_event
-- Called:   podictl revoke
-- ----------------------------------------------------------------------
create or replace function sys.revoke(
    i_kind     text,
    i_issuer   text,
    i_id       text,
    i_slug     text,
    i_seconds  bigint,
    i_reason   text,
    out kind     text,
    out issuer   text,
    out id       text,
    out until    timestamptz,
    out ended    int,
    out _events  jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_who  record;
    v_end  record;
    v_now  timestamptz := clock_timestamp();
begin
    perform internal.revoke_check(i_kind, i_id, i_seconds, i_reason);
    kind := i_kind;
    id := i_id;
    issuer := case i_kind when 'channel' then '' else i_issuer end;
    until := v_now + make_interval(secs => i_seconds);
    ended := 0;
    _events := '[]';

    if issuer = 'podi' and i_kind in ('user', 'session') then
        v_who := internal.revoke_whom(i_kind, i_id, i_slug);
        id := case i_kind when 'user' then v_who.o_user::text else i_id end;

        if i_kind = 'user' then
            insert into revocation as r
                   (tenant_id, kind, id, not_before, until, reason)
            values (v_who.o_tenant, 'user', id, v_now, until, i_reason)
            on conflict (tenant_id, kind, id) do update
               set not_before = excluded.not_before, reason = excluded.reason,
                   until = greatest(r.until, excluded.until),
                   revoked_at = clock_timestamp();
        end if;

        v_end := internal.sessions_end(v_who.o_tenant, v_who.o_user,
                     case i_kind when 'session' then i_id::uuid end, true,
                     'admin', 'account.revoke');
        ended := cardinality(v_end.o_ended);
        _events := v_end.o_events;
        return;
    end if;

    insert into revocation_any as a
           (issuer, kind, id, not_before, until, reason)
    values (issuer, i_kind, id,
            case when i_kind in ('user', 'channel') then v_now end, until,
            i_reason)
    on conflict (issuer, kind, id) do update
       set not_before = excluded.not_before, reason = excluded.reason,
           until = greatest(a.until, excluded.until),
           revoked_at = clock_timestamp();

    if i_kind = 'channel' then
        v_end := internal.channel_end(i_id);
        ended := v_end.o_ended;
        _events := v_end.o_events;
    end if;
end
$$;
