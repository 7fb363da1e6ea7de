-- ----------------------------------------------------------------------
-- internal.invariant_next(part, from, limit)
--
--      Where a slice of a part ends that begins behind from.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the place of the limit-th row behind from; the last place of all
--           when there are fewer
-- Raises:   U0422 there is no such part
-- Writes:   nothing
-- Called:   sys.invariant_slice
-- ----------------------------------------------------------------------
create or replace function internal.invariant_next(
    i_part   text,
    i_from   podi.row_place,
    i_limit  int)
returns podi.row_place
language plpgsql stable
as $$
declare
    v_to  podi.row_place := internal.row_place_last();
begin
    case i_part
    when 'wallet' then
        select w.wallet_id, v_to.b, v_to.n into v_to
          from podi.wallet w
         where w.wallet_id > i_from.a
         order by w.wallet_id offset i_limit - 1 limit 1;
    when 'entry' then
        select l.wallet_id, l.tenant_id, l.seq into v_to
          from podi.ledger l
         where (l.wallet_id, l.tenant_id, l.seq) > (i_from.a, i_from.b, i_from.n)
         order by l.wallet_id, l.tenant_id, l.seq offset i_limit - 1 limit 1;
    when 'user' then
        select h.tenant_id, h.user_id, v_to.n into v_to
          from podi.user_head h
         where (h.tenant_id, h.user_id) > (i_from.a, i_from.b)
         order by h.tenant_id, h.user_id offset i_limit - 1 limit 1;
    when 'task' then
        select t.task_id, v_to.b, v_to.n into v_to
          from podi.task_header t
         where t.task_id > i_from.a
         order by t.task_id offset i_limit - 1 limit 1;
    when 'hold' then
        select v_to.a, v_to.b, h.hold_id into v_to
          from podi.hold h
         where h.hold_id > i_from.n
         order by h.hold_id offset i_limit - 1 limit 1;
    when 'attempt' then
        select a.job_id, v_to.b, v_to.n into v_to
          from podi.attempt a
         where a.job_id > i_from.a
         order by a.job_id offset i_limit - 1 limit 1;
    when 'sum' then
        null;
    else
        raise exception 'no part %', i_part using errcode = 'U0422',
              detail = '{"field": "part"}';
    end case;

    return case when v_to.a is null then internal.row_place_last() else v_to end;
end
$$;
