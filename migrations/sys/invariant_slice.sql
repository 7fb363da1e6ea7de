-- ----------------------------------------------------------------------
-- sys.invariant_slice(part, place, limit)
--
--      What must never be, in all tenants: of a part of the rows (wallet,
--      entry, user, task, hold, attempt), those from a place on, about limit of
--      them; of part `sum`, what only all of them tell.
--
-- Returns:  as sys.reconcile: kind (the invariant), id; and, first, one of kind
--           `place`: id, where to go on; detail {more}, whether that ends a pass
-- Raises:   U0422 there is no such part
-- Writes:   nothing
-- Called:   podi_janitord
--
--      The slices of a pass adjoin, the last one has no end: what belongs to
--      nothing is in one of them, too.
-- ----------------------------------------------------------------------
create or replace function sys.invariant_slice(
    i_part   text,
    i_place  text,
    i_limit  int)
returns table (kind text, id text, detail jsonb)
language plpgsql stable security definer
set search_path = podi, pg_temp
set enable_seqscan = off
as $$
declare
    v_from  podi.row_place := internal.row_place_first();
    v_to    podi.row_place;
begin
    if i_place is not null then
        v_from := i_place::podi.row_place;
    end if;

    v_to := internal.invariant_next(i_part, v_from,
                                    greatest(coalesce(i_limit, 0), 1));
    kind := 'place';
    detail := jsonb_build_object('more', v_to <> internal.row_place_last());
    id := case when detail @> '{"more": true}' then v_to::text end;
    return next;

    detail := '{}';
    for kind, id in select p.inv, p.id
                      from internal.invariant_part(i_part, v_from, v_to) p
    loop
        return next;
    end loop;
end
$$;
