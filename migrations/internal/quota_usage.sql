-- ----------------------------------------------------------------------
-- internal.quota_usage(tenant, jobs, since)
--
--      What jobs have used of a provider since a moment, by their attempts:
--      what those reported; else a call for each that was tried.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  calls, tokens; expected, the tokens that their actions declare
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.quota_settle
--
--      A report that is no number counts as none.  One that was deferred could
--      not be tried; one that was returned was, how far nobody knows.  Neither
--      is more than 1e18.
-- ----------------------------------------------------------------------
create or replace function internal.quota_usage(
    i_tenant  uuid,
    i_jobs    uuid[],
    i_since   timestamptz,
    out calls     bigint,
    out tokens    bigint,
    out expected  bigint)
language plpgsql stable
as $$
begin
    select least(coalesce(sum(coalesce(
               internal.usage_of(a.usage, 'calls'),
               (a.outcome <> 'deferred')::int)), 0), 1000000000000000000),
           least(coalesce(sum(internal.usage_of(a.usage, 'tokens')), 0),
                 1000000000000000000)
      into calls, tokens
      from podi.attempt a
     where a.job_id = any (i_jobs) and a.tenant_id = i_tenant
           and a.started_at >= i_since;

    select sum(a.tokens) into expected
      from podi.job j
      join podi.action a on a.action = j.action
     where j.job_id = any (i_jobs) and j.tenant_id = i_tenant;
end
$$;
