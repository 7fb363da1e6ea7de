-- ----------------------------------------------------------------------
-- internal.invariant_user(from, to)
--
--      Whether the events of users, of those behind from and up to to, are
--      dense.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  inv, id: one row for each break
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.invariant_part
-- ----------------------------------------------------------------------
create or replace function internal.invariant_user(
    i_from  podi.row_place,
    i_to    podi.row_place)
returns table (inv text, id text)
language sql stable
as $$
    select 'I10 events are dense', h.user_id::text
      from podi.user_head h
      left join lateral (
           select count(*) as n, min(e.seq) as first, max(e.seq) as last
             from podi.user_event e
            where e.tenant_id = h.tenant_id and e.user_id = h.user_id) t on true
     where (h.tenant_id, h.user_id) > ((i_from).a, (i_from).b)
           and (h.tenant_id, h.user_id) <= ((i_to).a, (i_to).b)
           and (t.n <> h.top - h.floor or t.first <> h.floor + 1
                or t.last <> h.top)
$$;
