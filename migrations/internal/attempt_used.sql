-- ----------------------------------------------------------------------
-- internal.attempt_used(backs)
--
--      Notes what running attempts have used of what is metered, and what the
--      provider asks for it, when their holder gives the jobs up: paid work is
--      paid work, also when nothing came of it.  What is not of that form is
--      left out, because it must not keep a job from being given up.  The
--      caller holds the locks of the jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   podi.attempt
-- Called:   sys.job_retry
--
--      usage: {calls, tokens, steps}, cost_micros: millionths; or NULL.
-- ----------------------------------------------------------------------
create or replace function internal.attempt_used(i_backs podi.job_back[])
returns void
language plpgsql
as $$
begin
    if not exists (select 1 from unnest(i_backs) b
                    where num_nonnulls(b.usage, b.cost_micros) > 0)
    then
        return;
    end if;

    update podi.attempt t
       set usage = t.usage || case jsonb_typeof(g.usage) when 'object'
                              then g.usage else '{}' end,
           cost_micros = case when g.cost_micros >= 0 then g.cost_micros
                         else t.cost_micros end
      from (select j.tenant_id, j.job_id, j.fence, b.usage, b.cost_micros
              from unnest(i_backs) b
              join podi.job j on j.job_id = b.job_id) g
     where t.job_id = g.job_id and t.fence = g.fence
           and t.tenant_id = g.tenant_id and t.outcome = 'running';
end
$$;
