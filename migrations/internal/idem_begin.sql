-- ----------------------------------------------------------------------
-- internal.idem_begin(route, key, hash, scope)
--
--      Claims an idempotency key for this transaction.  The first lock of
--      all: a twin that runs at the same time waits here until we commit
--      (and then gets our answer) or roll back (and then is the first).
--      Tenant and user are the entered ones.  All anonymous
--      callers are one user: scope is what tells them apart.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  NULL: go on, and end with internal.idem_end
--           else the stored response of the first call
-- Raises:   U0410 the key was used with another route or body
--           U0409 the first call left no answer, or it is being purged
--           U0422 the key is empty or too long
-- Writes:   podi.idempotency
-- Called:   api functions that write
-- ----------------------------------------------------------------------
create or replace function internal.idem_begin(
    i_route  text,
    i_key    text,
    i_hash   bytea,
    i_scope  text default '')
returns jsonb
language plpgsql
as $$
declare
    v_user  uuid := coalesce(internal.user_id(),
                             '00000000-0000-0000-0000-000000000000');
    v_row   record;
begin
    if i_key is null then
        return null;
    end if;
    if length(i_key) not between 1 and 255 then
        raise exception 'idempotency key of % characters', length(i_key)
              using errcode = 'U0422', detail = '{"field":"Idempotency-Key"}';
    end if;

    insert into podi.idempotency (tenant_id, user_id, scope, key, route, body_hash)
    values (internal.tenant(), v_user, i_scope, i_key, i_route,
            coalesce(i_hash, ''))
    on conflict do nothing;
    if found then
        return null;
    end if;

    select i.route, i.body_hash, i.response into v_row
      from podi.idempotency i
     where i.tenant_id = internal.tenant() and i.user_id = v_user
       and i.scope = i_scope and i.key = i_key;

    if v_row.route <> i_route or v_row.body_hash <> coalesce(i_hash, '') then
        raise exception 'the key was used with another request'
              using errcode = 'U0410';
    end if;
    if v_row.response is null then
        raise exception 'the first request left no answer'
              using errcode = 'U0409';
    end if;
    return v_row.response;
end
$$;
