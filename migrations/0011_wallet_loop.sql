-- 0011 wallet loop: a chained ledger, refunds, holds of other servers
--
-- Why:      money must be provable row by row, go back where it came from, and
--           be frozen by other servers as by tasks; batches of movements are
--           one statement, so that a wallet is locked for a moment only
-- Expand:   yes; ledger rows of before have no hash
-- Locks:    podi.lot, podi.hold are rewritten (generated columns); podi.users,
--           podi.wallet, podi.hold_alloc, podi.ledger for a moment
--
--      ledger row n:  hash = HMAC-SHA256(key, hash of row n - 1 || row n)
--                     wallet.head = hash of its last row, seq = its number
--
--   granted --> available --freeze--> held --confirm--> revenue
--   adjusted <-->   ^  |                |                  |
--                   |  '--> lapsed      |                  |
--                   '------release------'------refund------'

set local lock_timeout = '5s';

-- checks are parsed anew for each statement, byte by byte: those of the hot
-- tables are few and short, and a list of words is a function
\ir internal/ledger_legal.sql

-- arrays of these two have an estimate that makes the planner look rows up
create type podi.hold_move as (
    tenant_id  uuid,
    hold_id    bigint,
    task_id    uuid,
    job_id     uuid,
    price      bigint,
    charge     bigint,
    idem       text,
    trace_id   text,
    ref        text,
    reason     text,
    body_hash  bytea,
    ord        bigint
);
comment on type podi.hold_move is 'The end of a share of a hold: of the price, the charge is captured and the rest goes back';

create type podi.movement as (
    tenant_id  uuid,
    wallet_id  uuid,
    op         text,
    debit      text,
    credit     text,
    amount     bigint,
    hold_id    bigint,
    task_id    uuid,
    job_id     uuid,
    lot_id     bigint,
    idem       text,
    ref        text,
    reason     text,
    body_hash  bytea,
    trace_id   text
);
comment on type podi.movement is 'A ledger row before it has its number, balances and hash';


-- shared by all tenants (reviewed), and kept for ever: old rows need old keys
create table podi.chain_key (
    key_id      text         not null,
    ipad        bytea        not null,
    opad        bytea        not null,
    newest      boolean      not null,
    created_at  timestamptz  not null default now(),

    constraint chain_key_pkey    primary key (key_id),
    constraint chain_key_size_ck check (octet_length(ipad) = 64
                                 and octet_length(opad) = 64),
    constraint chain_key_id_ck   check (key_id ~ '^[A-Za-z0-9_-]{1,32}$')
);
comment on table podi.chain_key is 'HMAC blocks of the ledger''s chain; internal.chain_mac alone reads them';
create unique index chain_key_newest_uq on podi.chain_key (newest) where newest;

-- instead of a key from the ledger, which would be looked up for every row
create trigger chain_key_row before delete or update of key_id, ipad, opad
       on podi.chain_key for each row execute function internal.append_only();
create trigger chain_key_all before truncate on podi.chain_key
       for each statement execute function internal.append_only();


alter table podi.wallet
    add column head        bytea   not null default '',
    add column low_points  bigint,
    add column low_seq     bigint,
    add column low_until   bigint,
    add constraint wallet_head_ck check (octet_length(head) % 32 = 0
                                         and low_points >= 0);
comment on column podi.wallet.head is 'the hash of its last ledger row';
comment on column podi.wallet.low_points is 'wallet.low is told below this; null: as the plan of the tenant says; 0: never';
comment on column podi.wallet.low_seq is 'the movement with which wallet.low was last told';
comment on column podi.wallet.low_until is 'told, and not again before available was this much; null: due';


-- what is used up is out of the index; live changes only then, so that all
-- other spending stays a HOT update
alter table podi.lot
    add column adjusted bigint not null default 0,
    drop constraint lot_parts_ge0,
    add constraint lot_parts_ge0 check (avail >= 0 and held >= 0 and spent >= 0
                                        and lapsed >= 0 and adjusted >= 0),
    drop constraint lot_conserved,
    add constraint lot_conserved check (avail + held + spent + lapsed + adjusted
                                        = amount),
    add column live boolean not null generated always as (avail + held > 0) stored;
comment on column podi.lot.adjusted is 'what an operator took out of it';
drop index podi.lot_spend_ix;
drop index podi.lot_expiry_ix;
create index lot_spend_ix on podi.lot
       (wallet_id, tenant_id, priority, expires_at, lot_id) where live;
create index lot_expiry_ix on podi.lot (expires_at)
       where live and expires_at is not null;


alter table podi.hold
    add column kind      text    not null default 'task',
    add column ref       text,
    add column reason    text,
    add column refunded  bigint  not null default 0,
    add column live      boolean not null
                         generated always as (captured + released < amount) stored,
    alter column task_id drop not null,
    add constraint hold_kind_ck   check (
        (kind = 'task' and task_id is not null and ref is null)
        or (kind = 'external' and task_id is null and ref is not null
            and length(ref) <= 200)),
    add constraint hold_ref_uq    unique (ref, tenant_id),
    add constraint hold_refund_ck check (refunded between 0 and captured);
comment on table podi.hold is 'Points frozen for a round of a task, or by another server';
comment on column podi.hold.ref is 'what the other server calls it';
comment on column podi.hold.refunded is 'of what was captured, what was given back';
drop index podi.hold_open_ix;
create index hold_open_ix on podi.hold (expires_at) where live;


alter table podi.hold_alloc
    add column refunded bigint not null default 0,
    add constraint hold_alloc_refund_ck check (refunded between 0 and captured);


alter table podi.ledger
    add column ref        text,
    add column body_hash  bytea,
    add column key_id     text,
    add column hash       bytea,
    drop constraint ledger_op_ck,
    drop constraint ledger_account_ck,
    add constraint ledger_account_ck check (internal.ledger_legal(op, debit, credit)),
    add constraint ledger_hash_ck check (hash is not null
                                         and octet_length(hash) = 32
                                         and key_id is not null) not valid;
comment on column podi.ledger.ref is 'what an operator or another server calls it';
comment on column podi.ledger.body_hash is 'of the request that asked for it: the same key with another body is refused, for ever';
comment on column podi.ledger.hash is 'HMAC of the hash before it and of this row, by the key of key_id';
create index ledger_at_ix on podi.ledger using brin (at);
create index ledger_hold_ix on podi.ledger (wallet_id, hold_id, tenant_id, seq)
       where hold_id is not null and task_id is null;


-- another server: acts on the wallets of its tenant, and has none of its own
alter table podi.users
    drop constraint users_role_ck,
    add constraint users_role_ck check (role in ('user', 'admin', 'service'));


-- what the functions of the wallet show, each list of columns once
create type podi.hold_card as (
    hold_id     bigint,
    ref         text,
    user_id     uuid,
    amount      bigint,
    captured    bigint,
    released    bigint,
    expires_at  timestamptz,
    seq         bigint,
    available   bigint,
    frozen      bigint,
    is_new      boolean,
    _events     jsonb
);
comment on type podi.hold_card is 'A hold as the server that made it is shown it, after an entry; made by internal.hold_answer';

create type podi.entry_card as (
    seq               bigint,
    type              text,
    amount            bigint,
    available_change  bigint,
    frozen_change     bigint,
    available_after   bigint,
    frozen_after      bigint,
    task_id           uuid,
    job_id            uuid,
    reason            text,
    at                timestamptz
);
comment on type podi.entry_card is 'A row of the ledger as its owner is shown it; made by internal.entry_card';
