-- ----------------------------------------------------------------------
-- internal.attempt_legal(row)
--
--      What an attempt may be: all that its row alone can show, see
--      internal.job_legal.
--      Names only what pg_catalog holds.
--
-- Returns:  whether the row may be
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what checks podi.attempt
-- ----------------------------------------------------------------------
create or replace function internal.attempt_legal(a podi.attempt)
returns boolean
language plpgsql immutable
as $$
begin
    return a.outcome in ('running', 'succeeded', 'failed', 'cancelled',
                         'retried', 'deferred', 'crashed', 'returned', 'lost')
       and (a.outcome = 'running') = (a.ended_at is null)
       and jsonb_typeof(a.usage) = 'object' and a.cost_micros >= 0
       -- what is elsewhere can be found there; what succeeded is no more than to be
       -- removed there
       and (a.remote is null) = (a.remote_state is null)
       and (a.remote_state is null
            or a.remote_state in ('intended', 'submitted', 'left', 'ended')
               and jsonb_typeof(a.remote) = 'object' and a.provider is not null)
       and (a.outcome <> 'succeeded' or a.remote_state is null
            or a.remote_state in ('left', 'ended'));
end
$$;
