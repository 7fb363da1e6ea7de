-- ----------------------------------------------------------------------
-- internal.remote_after(row, outcome)
--
--      What is left elsewhere of an attempt that ends with its job.  What
--      succeeded is in the history of a ComfyUI server, to be removed; third
--      parties keep what they made as long as they want.  Of what did not
--      succeed there is left what its holder did not see to its end.  Who
--      crashed or was lost leaves it to whoever comes next, if anybody does.
--
-- Returns:  text; NULL: it was nowhere
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.job_close_all
-- ----------------------------------------------------------------------
drop function if exists internal.remote_after(text, text);
create or replace function internal.remote_after(
    a          podi.attempt,
    i_outcome  text)
returns text
language sql immutable
as $$
    select case when a.remote_state is null or a.remote_state = 'ended'
                then a.remote_state
                when i_outcome = 'succeeded'
                then case when a.provider like 'comfy:%' then 'left'
                     else 'ended' end
                when i_outcome in ('failed', 'cancelled') then 'left'
                else a.remote_state end
$$;
