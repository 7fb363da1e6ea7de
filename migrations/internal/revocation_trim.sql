-- ----------------------------------------------------------------------
-- internal.revocation_trim(limit)
--
--      Deletes revocations that are over for a day, at most limit of each
--      kind.  Invoker rights.
--
-- Returns:  how many
-- Raises:   nothing
-- Writes:   podi.revocation, podi.revocation_any
-- Called:   sys.purge
-- ----------------------------------------------------------------------
create or replace function internal.revocation_trim(i_limit int)
returns bigint
language plpgsql
set search_path = podi, pg_temp
as $$
declare
    v_n    bigint;
    v_sum  bigint;
begin
    delete from revocation r
     where r.ctid = any (array(
           select o.ctid from revocation o
            where o.until < now() - interval '1 day'
            limit i_limit for update skip locked));
    get diagnostics v_sum = row_count;

    delete from revocation_any a
     where a.ctid = any (array(
           select o.ctid from revocation_any o
            where o.until < now() - interval '1 day'
            limit i_limit for update skip locked));
    get diagnostics v_n = row_count;

    return v_sum + v_n;
end
$$;
