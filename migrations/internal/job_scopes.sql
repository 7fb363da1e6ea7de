-- ----------------------------------------------------------------------
-- internal.job_scopes(queue, action, tenant, user, gates)
--
--      The gates that a job must pass, all or none.  Inlined, so it carries
--      no SET clause and names nothing that a search path could change.
--
-- Returns:  text[]: global, queue:<q>, action:<a>, tenant:<id>, user:<id>, and
--           the action's own
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.job_hints, sys.job_dispatch, sys.job_running, whatever
--           counts what runs
-- ----------------------------------------------------------------------
create or replace function internal.job_scopes(
    i_queue   text,
    i_action  text,
    i_tenant  uuid,
    i_user    uuid,
    i_gates   text[])
returns text[]
language sql immutable
as $$
    select array['global', 'queue:' || i_queue, 'action:' || i_action,
                 'tenant:' || i_tenant::text, 'user:' || i_user::text] || i_gates
$$;
