-- ----------------------------------------------------------------------
-- internal.hold_allocate(tenant, wallet, hold, amount)
--
--      Moves points of the wallet's live lots from avail to held, in the
--      order of spending, and records which lot gave how much.  The caller
--      holds the wallet's row lock.  Invoker rights.
--
-- Returns:  nothing
-- Raises:   U0420 the lots do not hold that much (the wallet says they do)
-- Writes:   podi.lot, podi.hold_alloc
-- Called:   internal.hold_freeze
-- ----------------------------------------------------------------------
create or replace function internal.hold_allocate(
    i_tenant  uuid,
    i_wallet  uuid,
    i_hold    bigint,
    i_amount  bigint)
returns void
language plpgsql
set search_path = podi, pg_temp
as $$
declare
    v_taken  bigint;
begin
    with spend as (
        select l.lot_id, l.avail,
               row_number() over w as ord,
               (sum(l.avail) over w)::bigint - l.avail as before
          from lot l
         where l.tenant_id = i_tenant and l.wallet_id = i_wallet
           and l.avail > 0
           and (l.expires_at is null or l.expires_at > now())
        window w as (order by l.priority, l.expires_at nulls last, l.lot_id
                     rows unbounded preceding)),
    take as (
        select s.lot_id, s.ord, least(s.avail, i_amount - s.before) as amount
          from spend s
         where s.before < i_amount),
    moved as (
        update lot l
           set avail = l.avail - t.amount, held = l.held + t.amount
          from take t
         where l.tenant_id = i_tenant and l.lot_id = t.lot_id
        returning t.lot_id, t.ord, t.amount),
    noted as (
        insert into hold_alloc (tenant_id, hold_id, lot_id, ord, amount)
        select i_tenant, i_hold, m.lot_id, m.ord, m.amount from moved m
        returning hold_alloc.amount)
    select sum(n.amount)::bigint into v_taken from noted n;

    if v_taken is distinct from i_amount then
        raise exception 'lots of wallet % hold %, not %', i_wallet, v_taken,
                        i_amount using errcode = 'U0420';
    end if;
end
$$;
