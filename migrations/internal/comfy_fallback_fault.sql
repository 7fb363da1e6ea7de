-- ----------------------------------------------------------------------
-- internal.comfy_fallback_fault(entry)
--
--      What is wrong with what a ComfyUI executor does instead: {workflow,
--      labels, set, when, after} or {provider, operation, set, when, after}; see
--      podi.action.
--      Names only what pg_catalog holds.
--
-- Returns:  the member at fault, as .when; '': all of it; NULL: nothing
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.executor_fault
-- ----------------------------------------------------------------------
create or replace function internal.comfy_fallback_fault(e jsonb)
returns text
language plpgsql immutable
as $$
declare
    c_name     constant text := '^"[a-z0-9][a-z0-9._-]{0,63}"$';
    c_labels   constant text := '^\[("[a-z0-9][a-z0-9._-]{0,31}"(, |\]$)){1,16}$';
    c_members  constant text[] := '{workflow,labels,provider,operation,set,when,after}';
    c_when     constant text := '^\["(memory|failed|unavailable|busy)"'
                                '(, "(memory|failed|unavailable|busy)"){0,3}\]$';
begin
    if jsonb_typeof(e) <> 'object' or e - c_members <> '{}'
       or not e ?| '{workflow,labels,provider,set}'
       or e ? 'provider' <> (e ? 'operation')
       or e ? 'provider' and e ?| '{workflow,labels}'
    then
        return '';
    end if;

    return case
        when e ? 'when' and (e -> 'when')::text !~ c_when then '.when'
        when e ? 'after' and not coalesce(e -> 'when' ? 'busy'
                 and (e -> 'after')::text ~ '^[1-9][0-9]{0,4}$', false) then '.after'
        when e ? 'workflow' and (e -> 'workflow')::text !~ c_name then '.workflow'
        when e ? 'labels' and (e -> 'labels')::text !~ c_labels then '.labels'
        when e ? 'provider' and (e -> 'provider')::text !~ '^"[a-z][a-z0-9_]{0,31}"$'
            then '.provider'
        when e ? 'operation' and (e -> 'operation')::text !~ c_name
            then '.operation'
        when jsonb_typeof(coalesce(e -> 'set', '{}')) <> 'object'
            then '.set' end;
end
$$;
