-- ----------------------------------------------------------------------
-- internal.quota_settle(done)
--
--      Jobs have ended: what their tasks had reserved for them is given back,
--      and what was really used is booked to the periods of the reservations.
--      One look when the tasks have reserved nothing.  The caller holds the
--      locks of the tasks.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   podi.quota_use, podi.quota_hold
-- Called:   internal.job_end_effects
--
--      Used are the points that were charged; the calls and tokens that the
--      attempts of this round reported; and the task, when one of its jobs
--      was begun.  With the last job goes back whatever is left.
-- ----------------------------------------------------------------------
create or replace function internal.quota_settle(i_done podi.job_done[])
returns void
language plpgsql
as $$
declare
    v_moves  podi.quota_move[];
begin
    if not exists (select 1 from unnest(i_done) d
                     join podi.quota_hold h
                       on h.task_id = d.task_id and h.tenant_id = d.tenant_id)
    then
        return;
    end if;

    with t as (
        select d.tenant_id, d.task_id, array_agg(d.job_id) as ids,
               sum(d.price - d.confirmed)::bigint as price,
               sum(d.charged - d.confirmed)::bigint as charged,
               min(d.jobs_open) = 0 as last
          from unnest(i_done) d
         group by d.tenant_id, d.task_id
    )
    select array_agg((h.tenant_id, h.task_id, h.subject, h.meter, h.period,
               h.period_start,
               case when t.last then h.reserved else least(h.reserved,
                   case h.meter when 'points' then t.price
                                when 'calls' then cardinality(t.ids)
                                when 'tokens' then u.expected
                                else 0 end) end,
               case h.meter when 'points' then t.charged
                            when 'calls' then u.calls
                            when 'tokens' then u.tokens
                            when 'tasks' then (t.last and k.started_at
                                               is not null)::int
                            else 0 end,
               t.last)::podi.quota_move)
      into v_moves
      from t
      join podi.task_header k
        on k.task_id = t.task_id and k.tenant_id = t.tenant_id
      join podi.quota_hold h
        on h.task_id = t.task_id and h.tenant_id = t.tenant_id and h.open
      left join lateral internal.quota_usage(h.tenant_id, t.ids, h.made_at) u
        on h.meter in ('calls', 'tokens');

    perform internal.quota_move_all(v_moves);
end
$$;
