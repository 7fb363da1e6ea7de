-- ----------------------------------------------------------------------
-- internal.remote_after(state, outcome)
--
--      What is left elsewhere of an attempt that ends: nothing, unless its
--      holder did not get to end it.
--
-- Returns:  text; NULL: it was nowhere
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.job_close_all
-- ----------------------------------------------------------------------
create or replace function internal.remote_after(i_state text, i_outcome text)
returns text
language sql immutable
as $$
    select case when i_state is null or i_outcome in ('crashed', 'lost')
                then i_state else 'ended' end
$$;
