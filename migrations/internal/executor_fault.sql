-- ----------------------------------------------------------------------
-- internal.executor_fault(executor)
--
--      What is wrong with the form of an executor; see podi.action.
--      Names only what pg_catalog holds.
--
-- Returns:  the path of the first fault; NULL: there is none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what checks podi.action, internal.executor_check
-- ----------------------------------------------------------------------
create or replace function internal.executor_fault(e jsonb)
returns text
language plpgsql immutable
as $$
declare
    c_name     constant text := '^"[a-z0-9][a-z0-9._-]{0,63}"$';
    c_labels   constant text := '^\[("[a-z0-9][a-z0-9._-]{0,31}"(, |\]$)){1,16}$';
    c_members  constant jsonb := '{"builtin": ["kind"],
        "comfy": ["kind", "workflow", "labels", "set", "fallback"],
        "mock": ["kind", "mock"],
        "provider": ["kind", "provider", "operation", "set", "fallback"]}';
    v_more     jsonb := coalesce(e -> 'fallback', '[]');
    v_bad      text;
begin
    if jsonb_typeof(e) is distinct from 'object' then
        return 'executor';
    end if;
    if not coalesce(jsonb_typeof(e -> 'kind') = 'string'
                    and c_members ? (e ->> 'kind'), false) then
        return 'executor.kind';
    end if;

    v_bad := case
        when exists (select 1 from jsonb_object_keys(e) k (name)
                      where not c_members -> (e ->> 'kind') ? k.name)
            then (select '.' || min(k.name) from jsonb_object_keys(e) k (name)
                   where not c_members -> (e ->> 'kind') ? k.name)
        when e ->> 'kind' = 'comfy'
             and coalesce((e -> 'workflow')::text, '') !~ c_name then '.workflow'
        when e ->> 'kind' = 'comfy' and e ? 'labels'
             and (e -> 'labels')::text !~ c_labels then '.labels'
        when e ->> 'kind' = 'mock'
             and coalesce((e -> 'mock')::text, '') !~ '^"(ok|slow|fail)"$'
            then '.mock'
        when e ->> 'kind' = 'provider'
             and coalesce((e -> 'provider')::text, '') !~ '^"[a-z][a-z0-9_]{0,31}"$'
            then '.provider'
        when e ->> 'kind' = 'provider'
             and coalesce((e -> 'operation')::text, '') !~ c_name
            then '.operation'
        when jsonb_typeof(coalesce(e -> 'set', '{}')) <> 'object' then '.set'
        when jsonb_typeof(v_more) <> 'array' then '.fallback' end;
    if v_bad is not null then
        return 'executor' || v_bad;
    end if;

    return (
    select format('executor.fallback[%s]%s', f.n - 1, b.bad)
      from jsonb_array_elements(v_more) with ordinality f (value, n)
     cross join lateral (
           select case when f.n > 8 then ''
                  when e ->> 'kind' = 'comfy'
                      then internal.comfy_fallback_fault(f.value)
                  else internal.fallback_fault(f.value) end) b (bad)
     where b.bad is not null
     order by f.n limit 1);
end
$$;
