-- ----------------------------------------------------------------------
-- api.job_preview(job)
--
--      Whether the caller may be shown how a job looks so far: it is his.
--
-- Returns:  its state: only what runs has a picture
-- Raises:   U0404 no such job of the user
-- Writes:   nothing
-- Called:   task/ngx_http_podi_job_preview.c
-- ----------------------------------------------------------------------
create or replace function api.job_preview(i_job uuid)
returns text
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin');
    return (internal.job_mine(i_job)).state;
end
$$;
