-- ----------------------------------------------------------------------
-- sys.purge(limit)
--
--      Deletes what nobody needs any more, at most limit rows of each kind:
--      idempotency rows after 7 days, spent tickets, sessions dead for 30
--      days, revocations that are over for a day, workers silent for a day,
--      events after 90 days, what was used of budgets after 400 days.  Lets expired lots lapse, at most limit
--      wallets.  Rows that somebody holds are left for the next call.  The
--      oldest go first: the order also keeps the planner on the index, where
--      it would expect a third of all to be old.
--
-- Returns:  what, n: one row for each kind
-- Raises:   nothing
-- Writes:   podi.idempotency, podi.event_ticket, podi.session,
--           podi.revocation, podi.revocation_any, podi.worker,
--           podi.quota_use, podi.quota_hold, podi.wallet, podi.lot,
--           podi.ledger, podi.user_event, podi.user_head
-- Called:   podi_janitord
-- ----------------------------------------------------------------------
create or replace function sys.purge(i_limit int)
returns table (what text, n bigint)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    delete from idempotency i
     where i.ctid = any (array(
           select o.ctid from idempotency o
            where o.created_at < now() - interval '7 days'
            order by o.created_at
            limit i_limit for update skip locked));
    get diagnostics n = row_count;
    what := 'idempotency';
    return next;

    delete from event_ticket e
     where e.ctid = any (array(
           select o.ctid from event_ticket o
            where o.expires_at < now()
            limit i_limit for update skip locked));
    get diagnostics n = row_count;
    what := 'event_ticket';
    return next;

    delete from session s
     where s.ctid = any (array(
           select o.ctid from session o
            where least(o.idle_expiry, o.revoked_at) < now() - interval '30 days'
            order by least(o.idle_expiry, o.revoked_at)
            limit i_limit for update skip locked));
    get diagnostics n = row_count;
    what := 'session';
    return next;

    n := internal.revocation_trim(i_limit);
    what := 'revocation';
    return next;

    delete from worker w where w.seen_at < now() - interval '1 day';
    get diagnostics n = row_count;
    what := 'worker';
    return next;

    n := internal.quota_trim(i_limit);
    what := 'quota';
    return next;

    n := internal.lot_sweep(i_limit);
    what := 'lot_lapsed';
    return next;

    -- after the wallets: user heads are the last locks
    n := internal.event_trim(i_limit, interval '90 days');
    what := 'user_event';
    return next;
end
$$;
