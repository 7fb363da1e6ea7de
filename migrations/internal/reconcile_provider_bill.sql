-- ----------------------------------------------------------------------
-- internal.reconcile_provider_bill(place, limit)
--
--      R9: of up to an hour, what was paid for nothing and what was charged for
--      nothing.  The last minute is left for what is being written.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  as sys.reconcile: kind loss: a priced job that ended uncharged
--           although attempts of it cost something, {cost_micros, state}; kind
--           charge: a job that points were taken for and that nobody ever
--           attempted, {points}.  The place is the end of that hour
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.reconcile
--
--      Without a place: from a day ago.
-- ----------------------------------------------------------------------
create or replace function internal.reconcile_provider_bill(
    i_place  text,
    i_limit  int)
returns table (kind text, id text, detail jsonb)
language plpgsql stable
as $$
declare
    v_end   timestamptz := now() - interval '1 minute';
    v_from  timestamptz := coalesce(i_place::timestamptz,
                                    v_end - interval '1 day');
    v_to    timestamptz := least(v_from + interval '1 hour',
                                 greatest(v_end, v_from));
begin
    return query
    select 'place', v_to::text, jsonb_build_object('more', v_to < v_end);

    return query
    select 'loss', j.job_id::text,
           jsonb_build_object('cost_micros', a.cost, 'state', j.state)
      from podi.job j
     cross join lateral (
           select sum(t.cost_micros)::bigint as cost
             from podi.attempt t
            where t.job_id = j.job_id and t.tenant_id = j.tenant_id) a
     where j.charged = 0 and j.price > 0
           and j.ended_at > v_from and j.ended_at <= v_to and a.cost > 0
     order by j.ended_at
     limit i_limit;

    return query
    select 'charge', l.job_id::text, jsonb_build_object('points', sum(l.amount))
      from podi.ledger l
     where l.at > v_from and l.at <= v_to
           and l.op = 'confirm' and l.job_id is not null
           and not exists (
               select 1 from podi.attempt t
                where t.job_id = l.job_id and t.tenant_id = l.tenant_id)
     group by l.job_id
     limit i_limit;
end
$$;
