-- ----------------------------------------------------------------------
-- internal.usage_of(usage, name)
--
--      A number of what an attempt reported, rounded up and bounded.  Inlined,
--      so it carries no SET clause and names nothing that a search path could
--      change.
--
-- Returns:  bigint, 0 to 1e15; NULL when it is not reported, or no number
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.quota_usage
-- ----------------------------------------------------------------------
create or replace function internal.usage_of(i_usage jsonb, i_name text)
returns bigint
language sql immutable
as $$
    select case jsonb_typeof(i_usage -> i_name) when 'number'
           then least(greatest(ceil((i_usage ->> i_name)::numeric), 0),
                      1000000000000000)::bigint end
$$;
