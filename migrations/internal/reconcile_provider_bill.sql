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
--           attempted, {points}.  The place is the end of that hour; of more
--           breaks than the limit that of the last one told, with all of its
--           moment
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
    with loss as (
        select j.job_id, j.ended_at as at, a.cost, j.state
          from podi.job j
         cross join lateral (
               select sum(t.cost_micros)::bigint as cost
                 from podi.attempt t
                where t.job_id = j.job_id and t.tenant_id = j.tenant_id) a
         where j.charged = 0 and j.price > 0
               and j.ended_at > v_from and j.ended_at <= v_to and a.cost > 0
         order by j.ended_at
         fetch first (i_limit) rows with ties),
    charge as (
        select l.job_id, l.at, l.amount
          from podi.ledger l
         where l.at > v_from and l.at <= v_to
               and l.op = 'confirm' and l.job_id is not null
               and not exists (
                   select 1 from podi.attempt t
                    where t.job_id = l.job_id and t.tenant_id = l.tenant_id)
         order by l.at
         fetch first (i_limit) rows with ties),
    place as (
        select least(v_to,
                   (select max(l.at) from loss l having count(*) >= i_limit),
                   (select max(c.at) from charge c having count(*) >= i_limit))
               as at)
    select 'place', p.at::text, jsonb_build_object('more', p.at < v_end)
      from place p
    union all
    select 'loss', l.job_id::text,
           jsonb_build_object('cost_micros', l.cost, 'state', l.state)
      from loss l
      join place p on l.at <= p.at
    union all
    select 'charge', c.job_id::text, jsonb_build_object('points', sum(c.amount))
      from charge c
      join place p on c.at <= p.at
     group by c.job_id;
end
$$;
