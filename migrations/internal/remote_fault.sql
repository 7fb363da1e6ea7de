-- ----------------------------------------------------------------------
-- internal.remote_fault(state, provider, ref, remote)
--
--      What is wrong with what a holder says of where its attempt is.
--
-- Returns:  the name at fault; NULL: there is none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.attempt_remote
-- ----------------------------------------------------------------------
create or replace function internal.remote_fault(
    i_state     text,
    i_provider  text,
    i_ref       text,
    i_remote    jsonb)
returns text
language sql immutable
as $$
    select case
           when coalesce(i_state, '') not in ('intended', 'submitted', 'left',
                                            'ended')
               then 'state'
           when coalesce(i_provider, '')
                !~ '^([a-z][a-z0-9_]{0,31}|comfy:[a-z0-9][a-z0-9_-]{0,31})$'
               then 'provider'
           when i_ref !~ '^[!-~]{1,200}$' then 'ref'
           when jsonb_typeof(i_remote) is distinct from 'object'
                or length(i_remote::text) > 65536 then 'remote' end
$$;
