-- ----------------------------------------------------------------------
-- internal.quota_move_all(moves)
--
--      Gives back of budgets what was reserved, and books what was used.
--      The caller holds the locks of the tasks; at most one move for each row
--      of quota_hold.  What is used is counted up to 1e18, above any budget, so
--      that no report can make the end of a job fail.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   nothing
-- Writes:   podi.quota_use, podi.quota_hold
-- Called:   internal.quota_settle, internal.quota_part
-- ----------------------------------------------------------------------
create or replace function internal.quota_move_all(i_moves podi.quota_move[])
returns void
language plpgsql
as $$
begin
    if coalesce(i_moves, '{}') = '{}' then
        return;
    end if;

    perform 1
       from podi.quota_use u
       join (select distinct m.subject, m.meter, m.period, m.period_start,
                    m.tenant_id
               from unnest(i_moves) m) k
         on (u.subject, u.meter, u.period, u.period_start, u.tenant_id)
            = (k.subject, k.meter, k.period, k.period_start, k.tenant_id)
      order by u.subject, u.meter, u.period, u.period_start
        for no key update of u;

    update podi.quota_use u
       set used = least(u.used + s.used, 1000000000000000000),
           reserved = u.reserved - s.back
      from (select m.subject, m.meter, m.period, m.period_start, m.tenant_id,
                   least(sum(m.used), 1000000000000000000)::bigint as used,
                   sum(m.back)::bigint as back
              from unnest(i_moves) m
             group by m.subject, m.meter, m.period, m.period_start,
                      m.tenant_id) s
     where (u.subject, u.meter, u.period, u.period_start, u.tenant_id)
           = (s.subject, s.meter, s.period, s.period_start, s.tenant_id);

    update podi.quota_hold h
       set reserved = h.reserved - m.back, open = not m.last
      from unnest(i_moves) m
     where (h.task_id, h.subject, h.meter, h.period, h.period_start, h.tenant_id)
           = (m.task_id, m.subject, m.meter, m.period, m.period_start,
              m.tenant_id);
end
$$;
