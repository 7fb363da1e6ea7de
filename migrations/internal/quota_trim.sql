-- ----------------------------------------------------------------------
-- internal.quota_trim(limit)
--
--      Deletes what is no more asked about budgets, at most limit rows of each
--      kind: what tasks held that ended a month ago, and what was used of
--      periods that began 400 days ago.  Rows that somebody holds are left for
--      the next call.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  how many rows
-- Raises:   nothing
-- Writes:   podi.quota_hold, podi.quota_use
-- Called:   sys.purge
-- ----------------------------------------------------------------------
create or replace function internal.quota_trim(i_limit int)
returns bigint
language plpgsql
as $$
declare
    v_holds  bigint;
    v_uses   bigint;
begin
    delete from podi.quota_hold h
     where h.ctid = any (array(
           select o.ctid from podi.quota_hold o
            where not o.open and o.made_at < now() - interval '30 days'
            order by o.made_at
            limit i_limit for update skip locked));
    get diagnostics v_holds = row_count;

    delete from podi.quota_use u
     where u.ctid = any (array(
           select o.ctid from podi.quota_use o
            where o.period <> 'none'
                  and o.period_start < now() - interval '400 days'
                  and o.reserved = 0
            order by o.period_start
            limit i_limit for update skip locked));
    get diagnostics v_uses = row_count;

    return v_holds + v_uses;
end
$$;
