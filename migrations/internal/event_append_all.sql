-- ----------------------------------------------------------------------
-- internal.event_append_all(events)
--
--      Numbers and stores events of any number of users, in the order given.
--      The heads are locked ascending and held to commit, so that a user's
--      numbers are dense and in commit order.  They are the last locks of
--      all: call it last.  This is the only place that takes more than one.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, the events as stored, with tenant_id, user_id, seq and at
-- Raises:   U0404 a user has no head
-- Writes:   podi.user_head, podi.user_event
-- Called:   sys.job_claim and every function that ends jobs in batches
--
--      events: [{tenant_id, user_id, type, task_id, job_id, trace_id, data}],
--      in the order in which each user shall read them.
-- ----------------------------------------------------------------------
create or replace function internal.event_append_all(i_events jsonb)
returns jsonb
language plpgsql
as $$
declare
    v_stored  jsonb;
    v_whole   boolean;
begin
    with x as (
        select e.*, row_number() over (partition by e.user_id, e.tenant_id
                                       order by e.ord) as n
          from rows from (jsonb_to_recordset(i_events)
                          as (tenant_id uuid, user_id uuid, type text,
                              task_id uuid, job_id uuid, trace_id text,
                              data jsonb)) with ordinality
               as e (tenant_id, user_id, type, task_id, job_id, trace_id, data,
                     ord)
    ), c as (
        select x.tenant_id, x.user_id, max(x.n) as n
          from x group by x.tenant_id, x.user_id
    ), l as (
        select h.tenant_id, h.user_id, c.n
          from c
          join podi.user_head h
            on h.tenant_id = c.tenant_id and h.user_id = c.user_id
         order by h.user_id, h.tenant_id
           for no key update of h
    ), h as (
        update podi.user_head h
           set top = h.top + l.n
          from l
         where h.tenant_id = l.tenant_id and h.user_id = l.user_id
        returning h.tenant_id, h.user_id, h.top - l.n as base,
                  clock_timestamp() as at
    ), s as (
        select x.*, h.base + x.n as seq, h.at
          from x
          left join h on h.tenant_id = x.tenant_id and h.user_id = x.user_id
    ), w as (
        insert into podi.user_event (tenant_id, user_id, seq, at, type, task_id,
                                     job_id, trace_id, data)
        select s.tenant_id, s.user_id, s.seq, s.at, s.type, s.task_id,
               s.job_id, s.trace_id, coalesce(s.data, '{}')
          from s
         where s.seq is not null
    )
    select coalesce(jsonb_agg(jsonb_build_object(
               'tenant_id', s.tenant_id, 'user_id', s.user_id, 'seq', s.seq,
               'at', internal.rfc3339(s.at), 'type', s.type,
               'task_id', s.task_id, 'job_id', s.job_id,
               'trace_id', s.trace_id, 'data', coalesce(s.data, '{}'))
               order by s.ord), '[]'),
           bool_and(s.seq is not null)
      into v_stored, v_whole
      from s;

    if not v_whole then
        raise exception 'a user has no event head' using errcode = 'U0404';
    end if;
    return v_stored;
end
$$;
