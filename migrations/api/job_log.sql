-- ----------------------------------------------------------------------
-- api.job_log(job, after, limit)
--
--      What a job said while it ran, in its order.
--
-- Returns:  n, at, attempt (which of its holders said it), level (info, warn,
--           error), line; those after number `after`
-- Raises:   U0404 no such job of the user
-- Writes:   nothing
-- Called:   task/ngx_http_podi_job_log.c
-- ----------------------------------------------------------------------
create or replace function api.job_log(
    i_job    uuid,
    i_after  int,
    i_limit  int)
returns table (n int, at timestamptz, attempt int, level text, line text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin');
    perform internal.job_mine(i_job);

    return query
    select l.n, l.at, l.fence, l.level, l.line
      from job_log l
     where l.job_id = i_job and l.tenant_id = internal.tenant()
           and l.n > coalesce(i_after, 0)
     order by l.n
     limit i_limit;
end
$$;
