-- ----------------------------------------------------------------------
-- api.event_snapshot()
--
--      Where the caller stands, and at which event number that was: all of it
--      from one snapshot, so a page that shows it and then reads the events
--      after position has missed nothing and sees nothing twice.
--
-- Returns:  position, epoch, wallet jsonb {wallet_id, available, frozen, seq},
--           tasks jsonb: the newest 100 of those that are open or ended within
--           the last hour [{task_id, state, price, charged, jobs_total,
--           jobs_open, jobs_succeeded, trace_id, created_at, started_at,
--           ended_at, cancel_requested_at, jobs: [{job_id, action, input,
--           state, progress, error_code}]}]
-- Raises:   nothing of its own
-- Writes:   nothing
-- Called:   event/ngx_http_podi_event_snapshot.c
--
--      One statement is one snapshot; what it calls is STABLE and shares it.
-- ----------------------------------------------------------------------
create or replace function api.event_snapshot()
returns table (
    "position"  bigint,
    epoch       text,
    wallet      jsonb,
    tasks       jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    perform internal.enter('user', 'admin');

    return query
    select h.top, h.epoch,
           (select jsonb_build_object('wallet_id', w.wallet_id,
                       'available', internal.wallet_available(w.tenant_id,
                                                              w.wallet_id),
                       'frozen', w.held, 'seq', w.seq)
              from wallet w
             where w.tenant_id = h.tenant_id and w.user_id = h.user_id),
           internal.snapshot_tasks(h.tenant_id, h.user_id)
      from user_head h
     where h.tenant_id = internal.tenant() and h.user_id = internal.user_id();
end
$$;
