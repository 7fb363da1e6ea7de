-- ----------------------------------------------------------------------
-- sys.job_log(logs)
--
--      Keeps what jobs said while they ran: the first 200 lines of each, then
--      one that says so.  Only a holder, of now or of then, is listened to.
--
-- Returns:  how many lines were kept
-- Raises:   22P02 what is not of that form
-- Writes:   podi.job_log
-- Called:   whatever runs jobs
--
--      logs: [{job_id, fence, lines: [{at, level, line}]}].  Lines were
--      redacted by the worker; here they are cut to 1000 characters.  A line
--      is no fact, so its commit does not wait for the disk.  Who comes while
--      another speaks for the same job waits: two would give out the same
--      numbers, and the lines of one would be lost.
-- ----------------------------------------------------------------------
create or replace function sys.job_log(i_logs jsonb)
returns bigint
language plpgsql security definer
set search_path = podi, pg_temp
set enable_seqscan = off
as $$
declare
    v_most  int := 200;
    v_n     bigint;
begin
    perform set_config('synchronous_commit', 'off', true);

    perform pg_advisory_xact_lock(hashtextextended('job_log ' || s.job_id, 0))
       from (select distinct g.job_id
               from jsonb_to_recordset(i_logs) g (job_id uuid)
              order by g.job_id) s;

    with x as (
        select a.tenant_id, g.job_id, g.fence, l.value as v,
               row_number() over (partition by g.job_id
                                  order by g.ord, l.ordinality)
               + coalesce((select max(o.n) from job_log o
                            where o.job_id = g.job_id), 0) as n
          from rows from (jsonb_to_recordset(i_logs)
                          as (job_id uuid, fence int, lines jsonb))
                    with ordinality as g (job_id, fence, lines, ord)
         cross join lateral (
               select t.tenant_id from attempt t
                where t.job_id = g.job_id and t.fence = g.fence
                limit 1) a
         cross join lateral jsonb_array_elements(g.lines) with ordinality l
         where l.value ->> 'line' <> ''
    ), k as (
        insert into job_log (tenant_id, job_id, n, at, fence, level, line)
        select x.tenant_id, x.job_id, x.n,
               coalesce((x.v ->> 'at')::timestamptz, clock_timestamp()), x.fence,
               case when x.n > v_most then 'warn'
                    when x.v ->> 'level' in ('warn', 'error')
                    then x.v ->> 'level' else 'info' end,
               case when x.n > v_most then 'the log is full: no more is kept'
                    else left(x.v ->> 'line', 1000) end
          from x
         where x.n <= v_most + 1
            on conflict do nothing
        returning 1
    )
    select count(*) into v_n from k;
    return v_n;
end
$$;
