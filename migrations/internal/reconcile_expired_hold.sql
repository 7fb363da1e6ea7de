-- ----------------------------------------------------------------------
-- internal.reconcile_expired_hold(limit)
--
--      R6: holds past their end that pay for no job any more, and that nobody
--      gave back for a minute.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  kind (hold), id, detail {kind, ended, left}
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.reconcile
-- ----------------------------------------------------------------------
create or replace function internal.reconcile_expired_hold(i_limit int)
returns table (kind text, id text, detail jsonb)
language plpgsql stable
as $$
declare
    v_ids  bigint[] := internal.hold_dead(i_limit);
begin
    return query
    select 'hold', h.hold_id::text,
           jsonb_build_object('kind', h.kind, 'ended', h.expires_at,
                              'left', h.amount - h.captured - h.released)
      from podi.hold h
     where h.hold_id = any (v_ids)
           and h.expires_at < now() - interval '1 minute';
end
$$;
