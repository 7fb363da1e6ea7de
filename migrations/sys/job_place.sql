-- ----------------------------------------------------------------------
-- sys.job_place(job)
--
--      What keeps a queued job from running, seen across tenants: counts
--      only, nothing of another tenant.
--
-- Returns:  why       gate_shut, queue_paused, no_worker or behind
--           scope, slots, running of the gate that is shut
--           own, others: how many wait before it, of its tenant and of others;
--           counted up to 1000 each
--           expected_start, when as many as lately are started; NULL: unknown
--           No row when the job is not queued.
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.job_explain
-- ----------------------------------------------------------------------
create or replace function sys.job_place(
    i_job  uuid,
    out why             text,
    out scope           text,
    out slots           int,
    out running         int,
    out own             int,
    out others          int,
    out expected_start  timestamptz)
language plpgsql security definer
set search_path = podi, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
    v_job   record;
    v_load  record;
    v_rate  double precision;
begin
    select j.*, t.plan, q.state as queue_state,
           internal.job_scopes(j.queue, j.action, j.tenant_id, j.user_id, a.gates)
               as scopes
      into v_job
      from job j
      join action a on a.action = j.action
      join tenant t on t.tenant_id = j.tenant_id
      join queue_type q on q.queue = j.queue
     where j.job_id = i_job and j.state = 'queued';
    if not found then
        return;
    end if;

    v_load := internal.gate_load();
    select g.scope, g.slots, g.running into scope, slots, running
      from internal.gate_shut(v_load.gates, v_load.taken, '{}', v_job.scopes,
                              v_job.plan, v_job.priority) g;

    why := case
        when v_job.queue_state = 'paused'          then 'queue_paused'
        when scope is not null                     then 'gate_shut'
        when not exists (
             select 1 from worker w
              where w.seen_at > clock_timestamp() - interval '30 seconds'
                    and w.daemon not in ('podi_dispatchd', 'podi_janitord'))
                                                   then 'no_worker'
        else                                            'behind' end;

    select c.own, c.others into own, others
      from internal.queue_ahead(v_job.queue, v_job.priority, v_job.tenant_id,
                                v_job.not_before, i_job) c;

    v_rate := internal.queue_rate(v_job.queue);
    expected_start := clock_timestamp()
                      + (own + others) / nullif(v_rate, 0) * interval '1 second';
end
$$;
