-- ----------------------------------------------------------------------
-- internal.ledger_replay(tenant, wallet, after, limit)
--
--      Verifies ledger rows of a wallet behind a row that is taken as good:
--      that they are dense, that each balance follows from the one before,
--      and that each hash does.  Stable: all of one snapshot.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  o_rows that were read; o_last, the last number; o_seq, o_fault:
--           the first row that is wrong, and how (gap, balance, unchained,
--           hash), or NULL
-- Raises:   U0420 a row names a chain key that is not there
-- Writes:   nothing
-- Called:   internal.ledger_check
--
--      Rows of before there was a chain have no hash; none may follow one that
--      has.
-- ----------------------------------------------------------------------
create or replace function internal.ledger_replay(
    i_tenant  uuid,
    i_wallet  uuid,
    i_after   bigint,
    i_limit   int,
    out o_rows   bigint,
    out o_last   bigint,
    out o_seq    bigint,
    out o_fault  text)
language sql stable
as $$
    with line as (
        select l.*, row_number() over w as n, lag(l.seq, 1, 0) over w as seq0,
               lag(l.available_after, 1, 0) over w
                   + l.amount * ((l.credit = 'available')::int
                                 - (l.debit = 'available')::int) as available,
               lag(l.held_after, 1, 0) over w
                   + l.amount * ((l.credit = 'held')::int
                                 - (l.debit = 'held')::int) as held,
               lag(l.hash) over w as hash0
          from podi.ledger l
         where l.wallet_id = i_wallet and l.tenant_id = i_tenant
           and l.seq between i_after and i_after + i_limit
        window w as (order by l.seq)),
    said as (
        select array_agg(coalesce(l.hash0, '') order by l.n) as heads,
               array_agg(internal.ledger_text(l.tenant_id, l.wallet_id, l.seq,
                   l.op, l.debit, l.credit, l.amount, l.available_after,
                   l.held_after, l.hold_id, l.task_id, l.job_id, l.lot_id, l.at,
                   l.body_hash, l.idem, l.ref, l.reason) order by l.n) as texts,
               array_agg(l.key_id order by l.n) as keys
          from line l
         where l.hash is not null),
    mac as (
        select l.seq, l.hash <> c.o_hashes[row_number() over (order by l.seq)]
                   as forged
          from said s
         cross join lateral internal.chain_mac(s.heads, s.texts, s.keys) c
         cross join line l
         where l.hash is not null),
    seen as (
        select l.seq, case
               when l.seq <> l.seq0 + 1 then 'gap'
               when (l.available_after, l.held_after) <> (l.available, l.held)
                   then 'balance'
               when l.hash is null and l.hash0 is not null then 'unchained'
               when m.forged then 'hash' end as fault
          from line l left join mac m on m.seq = l.seq
         where l.seq > i_after)
    select count(*), max(s.seq), min(s.seq) filter (where s.fault is not null),
           (array_agg(s.fault order by s.seq) filter (where s.fault is not null))[1]
      from seen s
$$;
