-- ----------------------------------------------------------------------
-- internal.revoke_check(kind, id, seconds, reason)
--
--      What sys.revoke must be told.
--
-- Returns:  nothing
-- Raises:   U0422
-- Writes:   nothing
-- Called:   sys.revoke
-- ----------------------------------------------------------------------
create or replace function internal.revoke_check(
    i_kind     text,
    i_id       text,
    i_seconds  bigint,
    i_reason   text)
returns void
language plpgsql immutable
as $$
begin
    if i_kind is null
       or i_kind not in ('user', 'session', 'token', 'channel') then
        raise exception 'user, session, token or channel'
              using errcode = 'U0422', detail = '{"field":"kind"}';
    end if;
    if coalesce(length(i_id), 0) not between 1 and 512 then
        raise exception 'an id has 1 to 512 characters'
              using errcode = 'U0422', detail = '{"field":"id"}';
    end if;
    if i_seconds is null or i_seconds not between 1 and 366 * 86400 then
        raise exception 'between a second and a year'
              using errcode = 'U0422', detail = '{"field":"for"}';
    end if;
    if coalesce(trim(i_reason), '') = '' then
        raise exception 'a reason is wanted'
              using errcode = 'U0422', detail = '{"field":"reason"}';
    end if;
end
$$;
