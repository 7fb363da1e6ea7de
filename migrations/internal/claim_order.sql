-- ----------------------------------------------------------------------
-- internal.claim_order(queue, n)
--
--      Who is next in a queue, without a look at the gates: of the tenants
--      whose turn it is their oldest due jobs, in the order of stride
--      scheduling.  Bounded work, however many rows wait.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  job_id, task_id, tenant_id, user_id, pass (the tenant's, in the
--           time of the queue), weight, plan, priority, scopes; in order
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.claim_pick
-- ----------------------------------------------------------------------
create or replace function internal.claim_order(i_queue text, i_n int)
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
begin
    select t.served into v_time
      from podi.queue_turn t
     where t.queue = i_queue
     order by t.served desc
     limit 1;

    return query
    select f.job_id, f.task_id, h.tenant_id, f.user_id, h.pass, h.weight, h.plan,
           h.class, internal.job_scopes(i_queue, f.action, h.tenant_id,
                                        f.user_id, a.gates)
      from internal.claim_tenants(i_queue, i_n + 16, v_now, v_time) h
     cross join lateral (
           select n.*, row_number() over (order by n.not_before, n.job_id) as nth
             from (select q.*
                     from podi.job q
                    where q.queue = i_queue and q.priority = h.class
                          and q.tenant_id = h.tenant_id and q.state = 'queued'
                          and q.not_before <= v_now and q.start_by > v_now
                    order by q.not_before, q.job_id
                    limit i_n + 16) n) f
      join podi.action a on a.action = f.action
     order by h.rank, h.pass + (f.nth - 1) * (1000.0 / h.weight)::double precision,
              f.not_before, f.job_id;
end
$$;
