-- ----------------------------------------------------------------------
-- internal.hold_answer(tenant, hold, seq, events)
--
--      What a request about a hold of another server is answered: how the
--      hold and its wallet stood after an entry.  Derived from the ledger, so
--      that a repetition is told the same for ever.  events: of what is new,
--      else NULL.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  hold_id, ref, user_id, amount, captured, released, expires_at, seq,
--           available, frozen, is_new, _events
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.wallet_freeze, api.wallet_confirm, api.wallet_release
-- ----------------------------------------------------------------------
create or replace function internal.hold_answer(
    i_tenant  uuid,
    i_hold    bigint,
    i_seq     bigint,
    i_events  jsonb)
returns setof podi.hold_card
language sql
as $$
    select h.hold_id, h.ref, w.user_id, h.amount,
           coalesce(s.captured, 0)::bigint, coalesce(s.released, 0)::bigint,
           h.expires_at, e.seq, e.available_after, e.held_after,
           i_events is not null, coalesce(i_events, '[]')
      from podi.hold h
      join podi.wallet w
        on w.wallet_id = h.wallet_id and w.tenant_id = h.tenant_id
      join podi.ledger e
        on e.wallet_id = h.wallet_id and e.tenant_id = h.tenant_id
           and e.seq = i_seq
     cross join lateral (
           select sum(l.amount) filter (where l.op = 'confirm') as captured,
                  sum(l.amount) filter (where l.op = 'release') as released
             from podi.ledger l
            where l.wallet_id = h.wallet_id and l.tenant_id = h.tenant_id
              and l.hold_id = h.hold_id and l.task_id is null
              and l.seq <= i_seq) s
     where h.hold_id = i_hold and h.tenant_id = i_tenant
$$;
