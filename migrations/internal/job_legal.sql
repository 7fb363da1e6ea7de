-- ----------------------------------------------------------------------
-- internal.job_legal(row)
--
--      What a job may be: all that its row alone can show.  The check of the
--      table calls it; written out there, it would be parsed anew for each
--      statement, at three times the cost of the rest.
--      Names only what pg_catalog holds.
--
-- Returns:  whether the row may be
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what checks podi.job
-- ----------------------------------------------------------------------
create or replace function internal.job_legal(j podi.job)
returns boolean
language plpgsql immutable
as $$
begin
    return j.state in ('blocked', 'queued', 'running', 'succeeded', 'failed',
                       'cancelled')
       -- who runs has a holder, and nobody else has
       and (j.state = 'running') = (j.lease_until is not null)
       and (j.state = 'running') = (j.worker is not null)
       -- who has ended was settled, once, at a price
       and (j.state in ('succeeded', 'failed', 'cancelled'))
           = (j.settled_fence is not null)
       and (j.settled_fence is not null) = (j.ended_at is not null)
       and (j.settled_fence is not null) = (j.charged is not null)
       and (j.state <> 'failed' or j.error_code is not null)
       and (not j.set_aside or j.state = 'failed')
       -- what it costs: its finished segments, or more when it delivered
       and j.confirmed between 0 and j.price
       and j.charged between j.confirmed and j.price
       and (j.charged = j.confirmed or j.state in ('succeeded', 'cancelled'))
       -- who is blocked waits for something, who goes on for nothing
       and j.needs_open >= 0
       and (j.state <> 'blocked' or j.needs_open > 0)
       and (j.state not in ('queued', 'running', 'succeeded')
            or j.needs_open = 0)
       and j.priority between 0 and 2 and j.progress between 0 and 100
       and j.fence >= 0 and j.attempts >= 0 and j.crashes >= 0
       and j.deferrals >= 0 and j.max_attempts > 0 and j.segment >= 0
       and jsonb_typeof(j.terms) = 'object';
end
$$;
