-- ----------------------------------------------------------------------
-- internal.claim_order(queue, n, all, shut)
--
--      Who is next in a queue: of the tenants whose turn it is their oldest
--      due jobs, in the order of stride scheduling.  Passed over is who stands
--      before a gate that is known to be shut: for all, or for those that have
--      no part in its reserve.  Bounded work, however many rows wait: of a
--      tenant it looks at no more than 2000, and at no class that the gates of
--      all keep out.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  job_id, task_id, tenant_id, user_id, pass (the tenant's, in the
--           time of the queue), weight, plan, priority, scopes; in order
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.claim_pick
-- ----------------------------------------------------------------------
drop function if exists internal.claim_order(text, int);
create or replace function internal.claim_order(
    i_queue  text,
    i_n      int,
    i_all    text[],
    i_shut   text[])
returns table (
    job_id     uuid,
    task_id    uuid,
    tenant_id  uuid,
    user_id    uuid,
    pass       double precision,
    weight     smallint,
    plan       text,
    priority   smallint,
    scopes     text[])
language plpgsql
as $$
declare
    v_now   timestamptz := clock_timestamp();
    v_time  double precision;
    v_free  boolean := i_all = '{}'
                       and i_shut <@ array['global', 'queue:' || i_queue];
begin
    select t.served into v_time
      from podi.queue_turn t
     where t.queue = i_queue
     order by t.served desc
     limit 1;

    return query
    select f.job_id, f.task_id, h.tenant_id, f.user_id, h.pass, h.weight, h.plan,
           h.class, f.scopes
      from internal.claim_tenants(i_queue, case when v_free then i_n + 16
                                           else 256 end, v_now, v_time, i_all,
                                  i_shut) h
     cross join lateral (
           select n.*, row_number() over (order by n.not_before, n.job_id) as nth
             from (select w.job_id, w.task_id, w.user_id, w.not_before, s.scopes
                     from (select q.*
                             from podi.job q
                            where q.queue = i_queue and q.priority = h.class
                                  and q.tenant_id = h.tenant_id
                                  and q.state = 'queued'
                                  and q.not_before <= v_now
                                  and q.start_by > v_now
                            order by q.not_before, q.job_id
                            limit case when v_free then i_n + 16
                                  else 2000 end) w
                     join podi.action a on a.action = w.action
                    cross join lateral (
                          select internal.job_scopes(i_queue, w.action,
                                     h.tenant_id, w.user_id, a.gates) as scopes) s
                    where not s.scopes && i_all
                          and (h.class = 0 or not s.scopes && i_shut)
                    order by w.not_before, w.job_id
                    limit i_n + 16) n) f
     order by h.rank, h.pass + (f.nth - 1) * (1000.0 / h.weight)::double precision,
              f.not_before, f.job_id;
end
$$;
