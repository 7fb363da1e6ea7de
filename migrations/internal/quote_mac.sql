-- ----------------------------------------------------------------------
-- internal.quote_mac(text, key)
--
--      Signs a quote with a context key: the newest, or the one named, as long
--      as it is not retired.  What is signed begins otherwise than a context,
--      so that neither can stand for the other.  Owned by podi_keeper.
--
-- Returns:  key, mac (hex); both NULL when there is no such key
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.quote_issue, internal.quote_open
-- ----------------------------------------------------------------------
create or replace function internal.quote_mac(
    i_text   text,
    i_key    text,
    out key  text,
    out mac  text)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
declare
    v_key  context_key;
begin
    select k.* into v_key
      from context_key k
     where k.retired_at is null and k.key_id = coalesce(i_key, k.key_id)
     order by k.created_at desc, k.key_id
     limit 1;
    if not found then
        return;
    end if;

    key := v_key.key_id;
    mac := encode(sha256(v_key.opad || sha256(v_key.ipad
                         || convert_to('quote1|' || i_text, 'UTF8'))), 'hex');
end
$$;
