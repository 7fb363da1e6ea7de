-- ----------------------------------------------------------------------
-- internal.ledger_refuse(movements)
--
--      Says why internal.ledger_write could not write all of these.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  never
-- Raises:   U0420 no such wallet
--           U0427 the ledger is ahead of its wallet
--           U0428 a movement was made before
-- Writes:   nothing
-- Called:   internal.ledger_write, internal.wallet_move
-- ----------------------------------------------------------------------
create or replace function internal.ledger_refuse(i_moves podi.movement[])
returns void
language plpgsql
as $$
declare
    v_why  record;
begin
    -- a movement whose number is taken has no row; one that is repeated has
    select bool_or(w.wallet_id is null) as lost, bool_or(l.seq is null) as forked
      into v_why
      from unnest(i_moves) m
      left join podi.wallet w
        on w.wallet_id = m.wallet_id and w.tenant_id = m.tenant_id
      left join podi.ledger l
        on l.wallet_id = m.wallet_id and l.idem = m.idem
           and l.tenant_id = m.tenant_id;

    if v_why.lost then
        raise exception 'no such wallet' using errcode = 'U0420';
    elsif v_why.forked then
        raise exception 'the ledger is ahead of its wallet'
              using errcode = 'U0427';
    end if;
    raise exception 'this movement was made before' using errcode = 'U0428';
end
$$;
