-- ----------------------------------------------------------------------
-- internal.api_key_check(name, role, scopes, days)
--
--      Judges what somebody wants of a key.  Its role is his own or, of an
--      admin's, that of a user.
--
-- Returns:  the scopes, each once, in order
-- Raises:   U0422 with the field; U0403 a role that is not his to give
-- Writes:   nothing
-- Called:   api.api_key_create
-- ----------------------------------------------------------------------
create or replace function internal.api_key_check(
    i_name    text,
    i_role    text,
    i_scopes  jsonb,
    i_days    int)
returns text[]
language plpgsql
set search_path = podi, pg_temp
as $$
declare
    v_scopes  text[];
begin
    if coalesce(length(i_name), 0) not between 1 and 100
       or i_name ~ '[[:cntrl:]]' then
        raise exception 'a name is a line of 1 to 100 characters'
              using errcode = 'U0422', detail = '{"field":"name"}';
    end if;

    if coalesce(i_days, 0) not between 1 and 366 then
        raise exception 'a key lives for 1 to 366 days'
              using errcode = 'U0422', detail = '{"field":"days"}';
    end if;

    if coalesce(i_role, '') not in ('user', 'admin', 'service') then
        raise exception 'a role is user, admin or service'
              using errcode = 'U0422', detail = '{"field":"role"}';
    end if;
    if i_role <> internal.role()
       and not (i_role = 'user' and internal.role() = 'admin') then
        raise exception 'a key is no more than its owner'
              using errcode = 'U0403';
    end if;

    if jsonb_typeof(coalesce(i_scopes, '[]')) <> 'array'
       or exists (
          select 1 from jsonb_array_elements(i_scopes) e
           where jsonb_typeof(e) <> 'string'
              or e #>> '{}' !~ '^[!#-\[\]-~]{1,64}$') then
        raise exception 'scopes are words of 1 to 64 characters'
              using errcode = 'U0422', detail = '{"field":"scopes"}';
    end if;

    select coalesce(array_agg(distinct e.word order by e.word), '{}')
      into v_scopes
      from jsonb_array_elements_text(i_scopes) e (word);
    if cardinality(v_scopes) > 32
       or length(array_to_string(v_scopes, ' ')) > 1000 then
        raise exception 'at most 32 scopes of 1000 characters'
              using errcode = 'U0422', detail = '{"field":"scopes"}';
    end if;
    return v_scopes;
end
$$;
