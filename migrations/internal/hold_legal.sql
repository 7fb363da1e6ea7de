-- ----------------------------------------------------------------------
-- internal.hold_legal(row)
--
--      What a hold may be: all that its row alone can show, see
--      internal.job_legal.
--      Names only what pg_catalog holds.
--
-- Returns:  whether the row may be
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what checks podi.hold
-- ----------------------------------------------------------------------
create or replace function internal.hold_legal(h podi.hold)
returns boolean
language plpgsql immutable
as $$
begin
    return h.amount > 0 and h.captured >= 0 and h.released >= 0
       and h.captured + h.released <= h.amount
       and h.refunded between 0 and h.captured
       and case h.kind
           when 'task'     then h.task_id is not null and h.ref is null
           when 'external' then h.task_id is null and h.ref is not null
                                and length(h.ref) <= 200
           else false end;
end
$$;
