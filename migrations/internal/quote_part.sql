-- ----------------------------------------------------------------------
-- internal.quote_part(job)
--
--      What a line of a quote holds for: the parameters with the defaults
--      filled in, and the terms.  An action that has changed either has
--      another one, and what was quoted is not to be had any more.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  text, a digest
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.quote_issue, internal.price_all
-- ----------------------------------------------------------------------
create or replace function internal.quote_part(i_job podi.job_plan)
returns text
language sql immutable
as $$
    select left(encode(sha256(convert_to(concat_ws('|', i_job.action,
               i_job.params, i_job.terms), 'UTF8')), 'hex'), 16)
$$;
