-- ----------------------------------------------------------------------
-- sys.reconcile_bill(provider, from, to, lines, limit)
--
--      Holds a provider's bill against the attempts that called it.  A bill
--      names each call once, by the reference the provider gave it.
--
-- Returns:  kind, id (reference), detail: unknown {billed}: we never called;
--           twice {billed, lines}; different {billed, noted, job_id}; missing
--           {noted, job_id}: of the time of the bill, and not on it; and, last,
--           one of kind total: {lines, billed, attempts, noted, captured}
-- Raises:   U0422 lines are not what they should be
-- Writes:   nothing
-- Called:   podictl
--
--      lines: [{ref, micros}]; from and to bound what may be missing, by the
--      start of the attempt, to excluded; captured is in points, of the jobs of
--      these attempts.
-- ----------------------------------------------------------------------
create or replace function sys.reconcile_bill(
    i_provider  text,
    i_from      timestamptz,
    i_to        timestamptz,
    i_lines     jsonb,
    i_limit     int)
returns table (kind text, id text, detail jsonb)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
begin
    if jsonb_typeof(i_lines) is distinct from 'array' then
        raise exception 'lines are an array' using errcode = 'U0422',
              detail = '{"field": "lines"}';
    end if;

    return query
    with bill as (
        select l.ref, sum(l.micros)::bigint as billed, count(*) as n
          from jsonb_to_recordset(i_lines) l (ref text, micros bigint)
         group by l.ref),
    called as (
        select t.provider_ref, t.cost_micros, t.job_id, t.fence, t.tenant_id
          from attempt t
         where t.provider = i_provider and t.provider_ref is not null
               and t.started_at >= i_from and t.started_at < i_to
        union
        select t.provider_ref, t.cost_micros, t.job_id, t.fence, t.tenant_id
          from bill b
          join attempt t
            on t.provider_ref = b.ref and t.provider = i_provider
               and t.provider_ref is not null),
    met as (
        select b.ref as billed_ref, b.billed, b.n, a.ref, a.noted, a.job_id,
               a.tenant_id
          from bill b
          full join (
               select c.provider_ref as ref, max(c.cost_micros) as noted,
                      (array_agg(c.job_id order by c.fence))[1] as job_id,
                      (array_agg(c.tenant_id order by c.fence))[1] as tenant_id
                 from called c
                group by c.provider_ref) a on a.ref = b.ref),
    judged as (
        select case when q.ref is null then 'unknown'
                    when q.n > 1 then 'twice'
                    when q.billed_ref is null and q.noted > 0 then 'missing'
                    when q.billed <> coalesce(q.noted, 0) then 'different' end
                   as what, coalesce(q.billed_ref, q.ref) as name, q.*
          from met q)
    (select j.what, j.name, jsonb_strip_nulls(jsonb_build_object(
                'billed', j.billed, 'noted', j.noted, 'job_id', j.job_id,
                'lines', nullif(j.n, 1)))
       from judged j
      where j.what is not null
      order by j.what, j.name
      limit i_limit)
    union all
    select 'total', null, jsonb_build_object(
               'lines', coalesce(sum(j.n), 0), 'billed', coalesce(sum(j.billed), 0),
               'attempts', count(j.ref), 'noted', coalesce(sum(j.noted), 0),
               'faults', count(j.what),
               'captured', (select coalesce(sum(o.charged), 0)
                              from job o
                             where (o.job_id, o.tenant_id) in (
                                   select k.job_id, k.tenant_id
                                     from judged k
                                    where k.job_id is not null)))
      from judged j;
end
$$;
