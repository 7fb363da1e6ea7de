-- ----------------------------------------------------------------------
-- internal.fallback_fault(entry)
--
--      What is wrong with what an executor does instead: {provider, operation,
--      set, when} or {wait: seconds, when}; see podi.action.
--      Names only what pg_catalog holds.
--
-- Returns:  the member at fault, as .when; '': all of it; NULL: nothing
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.executor_fault
-- ----------------------------------------------------------------------
create or replace function internal.fallback_fault(e jsonb)
returns text
language plpgsql immutable
as $$
declare
    c_name     constant text := '^"[a-z0-9][a-z0-9._-]{0,63}"$';
    c_members  constant text[] := '{provider,operation,set,when,wait}';
    c_when     constant text := '^\["(throttled|quota|auth|retryable|unavailable'
                                '|invalid)"(, "(throttled|quota|auth|retryable'
                                '|unavailable|invalid)"){0,5}\]$';
begin
    if jsonb_typeof(e) <> 'object' or e - c_members <> '{}'
       or e ? 'wait' and e ?| '{provider,operation,set}'
    then
        return '';
    end if;

    return case
        when e ? 'when' and (e -> 'when')::text !~ c_when then '.when'
        when e ? 'wait'
            then case when (e -> 'wait')::text !~ '^[1-9][0-9]{0,4}$'
                      then '.wait' end
        when coalesce((e -> 'provider')::text, '') !~ '^"[a-z][a-z0-9_]{0,31}"$'
             or coalesce((e -> 'operation')::text, '') !~ c_name then ''
        when jsonb_typeof(coalesce(e -> 'set', '{}')) <> 'object'
            then '.set' end;
end
$$;
