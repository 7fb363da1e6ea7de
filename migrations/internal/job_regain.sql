-- ----------------------------------------------------------------------
-- internal.job_regain(tenant, task, job)
--
--      Of what a job needs: how much is still to be done, and what is there
--      already, by the place it has among the inputs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  one row: open, given jsonb {place: media id or null}, empty (a job
--           that it needs a result of succeeded and made none)
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.job_reopen, internal.task_retry_bar
-- ----------------------------------------------------------------------
create or replace function internal.job_regain(
    i_tenant  uuid,
    i_task    uuid,
    i_job     uuid)
returns table (open int, given jsonb, empty boolean)
language sql stable
as $$
    select count(*) filter (where o.state <> 'succeeded')::int,
           coalesce(jsonb_object_agg(n.place, m.media_id)
                    filter (where n.place is not null), '{}'),
           coalesce(bool_or(n.place is not null and o.state = 'succeeded'
                            and m.media_id is null), false)
      from podi.job_need n
      join podi.job o
        on o.job_id = n.needs_job_id and o.tenant_id = n.tenant_id
      left join lateral (
           select r.media_id
             from podi.media r
            where r.task_id = i_task and r.tenant_id = i_tenant
                  and r.job_id = o.job_id and o.state = 'succeeded'
            order by r.ord, r.media_id limit 1) m on true
     where n.job_id = i_job and n.tenant_id = i_tenant
$$;
