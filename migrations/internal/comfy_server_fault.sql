-- ----------------------------------------------------------------------
-- internal.comfy_server_fault(row)
--
--      What is wrong with a ComfyUI server: all that its row alone can show.
--      Names only what pg_catalog holds.
--
-- Returns:  the member at fault; NULL: there is none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what checks podi.comfy_server, sys.comfy_server_put
--
--      Names and passwords do not belong into a URL, and the headers that make
--      a request what it is are not the operator's to set.
-- ----------------------------------------------------------------------
create or replace function internal.comfy_server_fault(s podi.comfy_server)
returns text
language plpgsql immutable
as $$
declare
    c_where  constant text := '([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/%-]*)?$';
    v_bad    text;
begin
    v_bad := case
        when coalesce(s.server, '') !~ '^[a-z0-9][a-z0-9_-]{0,31}$' then 'server'
        when coalesce(s.url, '') !~ ('^https?://' || c_where) then 'url'
        when s.ws_url !~ ('^wss?://' || c_where) then 'ws_url'
        when jsonb_typeof(s.auth) is distinct from 'object'
             or s.auth - '{headers,query}'::text[] <> '{}' then 'auth'
        when jsonb_typeof(coalesce(s.auth -> 'headers', '{}')) <> 'object'
            then 'auth.headers'
        when jsonb_typeof(coalesce(s.auth -> 'query', '{}')) <> 'object'
            then 'auth.query'
        when s.ca_file !~ '^/[!-~]{1,255}$' then 'ca_file'
        when s.labels is null or cardinality(s.labels) > 16
             or s.labels <> string_to_array(array_to_string(s.labels, ' ', ''),
                                            ' ')
             or array_to_string(s.labels, ' ', '')
                !~ '^([a-z0-9][a-z0-9._-]{0,31}( |$))*$' then 'labels'
        when s.slots is null or s.slots not between 1 and 64 then 'slots'
        when s.prefetch is null or s.prefetch not between 0 and 64 then 'prefetch'
        when coalesce(s.state, '') not in ('active', 'draining', 'disabled')
            then 'state'
        when s.single_tenant is null then 'single_tenant' end;
    if v_bad is not null then
        return v_bad;
    end if;

    return (
    select format('auth.%s.%s', w.name, m.key)
      from unnest('{headers,query}'::text[]) w (name)
     cross join lateral jsonb_each(coalesce(s.auth -> w.name, '{}')) m
     where m.key !~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$'
           or m.value::text !~ '^"[a-z0-9][a-z0-9._-]{0,63}"$'
           or w.name = 'headers'
              and lower(m.key) = any ('{host,origin,connection,upgrade,expect,
                      content-length,content-type,transfer-encoding}')
     order by w.name, m.key limit 1);
end
$$;
