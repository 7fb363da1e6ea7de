-- ----------------------------------------------------------------------
-- internal.context_verify(text)
--
--      Takes a signed context apart:
--
--      v1|key id|tenant uuid or @slug|user uuid or empty|role|expiry|hmac
--
--      The tenant is "*" where the gateway speaks for nobody.
--      The only reader of podi.context_key; owned by podi_keeper, who can
--      read that, tenant slugs, and nothing else.
--
-- Returns:  o_tenant (NULL: "*"), o_user (NULL when empty), o_role
-- Raises:   U0001 absent, malformed, forged, expired, unknown or retired key
--           U0404 no such tenant, or a disabled one
-- Writes:   nothing
-- Called:   internal.enter
-- ----------------------------------------------------------------------
create or replace function internal.context_verify(
    i_text    text,
    out o_tenant  uuid,
    out o_user    uuid,
    out o_role    text)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
declare
    v_part  text[] := string_to_array(i_text, '|');
    v_key   record;
    v_mac   bytea;
begin
    if coalesce(cardinality(v_part), 0) <> 7 or v_part[1] <> 'v1' then
        raise exception 'no context' using errcode = 'U0001';
    end if;

    select k.ipad, k.opad into v_key
      from context_key k
     where k.key_id = v_part[2] and k.retired_at is null;
    if not found then
        raise exception 'unknown context key' using errcode = 'U0001';
    end if;

    v_mac := sha256(v_key.opad || sha256(v_key.ipad || convert_to(
             left(i_text, length(i_text) - length(v_part[7]) - 1), 'UTF8')));

    -- digests of both are compared, so that the time taken tells nothing
    if sha256(convert_to(encode(v_mac, 'hex'), 'UTF8'))
       <> sha256(convert_to(v_part[7], 'UTF8')) then
        raise exception 'forged context' using errcode = 'U0001';
    end if;

    if v_part[6]::bigint <= extract(epoch from now()) then
        raise exception 'expired context' using errcode = 'U0001';
    end if;

    if left(v_part[3], 1) = '@' then
        select t.tenant_id into o_tenant
          from tenant t
         where t.slug = substr(v_part[3], 2) and t.state = 'active';
    elsif v_part[3] <> '*' then
        select t.tenant_id into o_tenant
          from tenant t
         where t.tenant_id = v_part[3]::uuid and t.state = 'active';
    end if;
    if o_tenant is null and v_part[3] <> '*' then
        raise exception 'no such tenant' using errcode = 'U0404';
    end if;

    o_user := nullif(v_part[4], '')::uuid;
    o_role := v_part[5];
end
$$;
