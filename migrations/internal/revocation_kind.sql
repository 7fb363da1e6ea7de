-- ----------------------------------------------------------------------
-- internal.revocation_kind(issuer, user, session, token, channel, issued)
--
--      By which of its names a token is revoked; seen from the entered
--      tenant.  Invoker rights.
--
-- Returns:  user, session, token, channel; NULL: by none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.api_key_open, api.event_ticket_take, api.identity_check
-- ----------------------------------------------------------------------
create or replace function internal.revocation_kind(
    i_issuer   text,
    i_user     text,
    i_session  text,
    i_token    text,
    i_channel  text,
    i_issued   timestamptz)
returns text
language sql stable
set search_path = podi, pg_temp
as $$
    select w.kind
      from (values ('user', i_issuer, i_user), ('session', i_issuer, i_session),
                   ('token', i_issuer, i_token), ('channel', '', i_channel))
                   as w (kind, issuer, id)
     where exists (
               select 1 from revocation r
                where r.tenant_id = internal.tenant() and w.issuer = 'podi'
                  and r.kind = w.kind and r.id = w.id and r.until > now()
                  and (r.not_before is null or i_issued is null
                       or i_issued < r.not_before))
        or exists (
               select 1 from revocation_any a
                where a.issuer = w.issuer and a.kind = w.kind and a.id = w.id
                  and a.until > now()
                  and (a.not_before is null or i_issued is null
                       or i_issued < a.not_before))
     limit 1
$$;
