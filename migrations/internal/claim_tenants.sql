-- ----------------------------------------------------------------------
-- internal.claim_tenants(queue, n, now, time, all, shut)
--
--      The tenants whose turn it is in a queue, found by leaping from one to
--      the next in the index: as many steps as there are tenants that wait,
--      not as there are jobs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  class, tenant_id, plan, weight, pass, rank; at most n, in order of
--           rank and pass
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.claim_order
--
--      A class goes before the next one, but for ageing: whoever has waited for
--      a minute counts as one class better, and after two minutes as the best.
--      Who has not been here for a while begins at the time of the queue.
--      all, shut: gates that are shut, see internal.claim_order.
-- ----------------------------------------------------------------------
drop function if exists internal.claim_tenants(text, int, timestamptz,
                                               double precision);
create or replace function internal.claim_tenants(
    i_queue  text,
    i_n      int,
    i_now    timestamptz,
    i_time   double precision,
    i_all    text[],
    i_shut   text[])
returns table (
    class      smallint,
    tenant_id  uuid,
    plan       text,
    weight     smallint,
    pass       double precision,
    rank       numeric)
language plpgsql
as $$
begin
    return query
    with recursive leap as (
        select c.class, null::uuid as tenant_id, 0 as n
          from (values (0::smallint), (1::smallint), (2::smallint)) c (class)
         where c.class = 0
               or not i_shut && array['global', 'queue:' || i_queue]
        union all
        select l.class, (select q.tenant_id
                           from podi.job q
                          where q.queue = i_queue and q.priority = l.class
                                and q.state = 'queued' and q.tenant_id > coalesce(
                                l.tenant_id, '00000000-0000-0000-0000-000000000000')
                          order by q.tenant_id
                          limit 1), l.n + 1
          from leap l
         where l.n = 0 or l.tenant_id is not null
    )
    select l.class, l.tenant_id, p.plan, p.weight,
           coalesce(greatest(t.pass, i_time), 0) as pass,
           greatest(0, l.class - floor(extract(epoch from
                                       i_now - f.not_before) / 60)) as rank
      from leap l
      join podi.tenant o on o.tenant_id = l.tenant_id
      join podi.plan p on p.plan = o.plan
      left join podi.queue_turn t
        on t.queue = i_queue and t.tenant_id = l.tenant_id
     cross join lateral (
           select q.not_before
             from podi.job q
            where q.queue = i_queue and q.priority = l.class
                  and q.tenant_id = l.tenant_id and q.state = 'queued'
                  and q.not_before <= i_now
            order by q.not_before, q.job_id
            limit 1) f
     where 'tenant:' || l.tenant_id::text <> all (
               case l.class when 0 then i_all else i_all || i_shut end)
     order by 6, 5, 2
     limit i_n;
end
$$;
