-- ----------------------------------------------------------------------
-- internal.job_unblock(done)
--
--      Brings forward the jobs that needed those that have succeeded: the
--      first result becomes the input that was kept for it, and who needs
--      nothing more is queued.  Who waits for a result of a job that made
--      none must fail.  The caller holds the locks of the tasks.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  ids of what is queued now; fails podi.job_end[], what must fail
-- Raises:   nothing
-- Writes:   podi.job
-- Called:   internal.job_end_all
-- ----------------------------------------------------------------------
create or replace function internal.job_unblock(
    i_done     podi.job_done[],
    out ids    uuid[],
    out fails  podi.job_end[])
language plpgsql
as $$
declare
    v_now  timestamptz := clock_timestamp();
begin
    with got as (
        select n.job_id, n.tenant_id, n.place, (d.media ->> 0)::uuid as media_id
          from unnest(i_done) d
          join podi.job_need n
            on n.needs_job_id = d.job_id and n.tenant_id = d.tenant_id
         where d.state = 'succeeded'
    ), j as (
        update podi.job q
           set needs_open = q.needs_open - g.n,
               state = case q.needs_open when g.n then 'queued'
                       else q.state end,
               inputs = array(
                   select coalesce(f.media_id, q.inputs[i.place])
                     from generate_series(1, greatest(g.places,
                                          cardinality(q.inputs))) i (place)
                     left join got f
                       on f.job_id = q.job_id and f.place = i.place
                    order by i.place),
               not_before = greatest(q.not_before, v_now),
               start_by = least(t.deadline_at, greatest(q.not_before, v_now)
                                + a.max_wait_ms * interval '1 millisecond')
          from (select x.job_id, x.tenant_id, count(*)::int as n,
                       max(x.place) as places,
                       bool_or(x.place is not null and x.media_id is null)
                           as empty
                  from got x group by x.job_id, x.tenant_id) g,
               podi.action a, podi.task_header t
         where q.job_id = g.job_id and q.tenant_id = g.tenant_id
               and q.state = 'blocked' and a.action = q.action
               and t.task_id = q.task_id and t.tenant_id = q.tenant_id
        returning q.job_id, q.ord, q.state, g.empty
    )
    select array_agg(j.job_id) filter (where j.state = 'queued' and not j.empty),
           array_agg((j.ord, j.job_id, 'failed', 'cancelled', 1, false, false,
                      null, null, null, 'dependency_failed',
                      'the job it needs made nothing', null, null, null,
                      null)::podi.job_end) filter (where j.empty)
      into ids, fails
      from j;
end
$$;
