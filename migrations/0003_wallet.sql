-- 0003 wallet: lots, holds and the ledger
--
-- Why:      a task costs points; what it costs is held when it is submitted
--           and captured or given back when its jobs end
-- Expand:   yes
-- Locks:    none on existing tables
--
--   grant --> available --freeze--> held --confirm--> revenue
--                 ^  |                |
--                 |  '--lapse         |
--                 '------release------'
--
-- The wallet row is the mutex of its lots, holds and ledger: it is locked
-- before any of them is read for writing.  The constraints carry the proof;
-- one ledger row is one movement, numbered without gaps by the wallet.
--
-- No index begins with the tenant: until the first analyze the planner takes
-- such a one for as good as a primary key, and reads all lots of a tenant.

set local lock_timeout = '5s';

create table podi.wallet (
    tenant_id  uuid    not null,
    wallet_id  uuid    not null,
    user_id    uuid    not null,
    available  bigint  not null default 0,
    held       bigint  not null default 0,
    seq        bigint  not null default 0,

    constraint wallet_pkey          primary key (wallet_id, tenant_id),
    constraint wallet_user_uq       unique (user_id, tenant_id),
    constraint wallet_user_fk       foreign key (tenant_id, user_id)
                                    references podi.users (tenant_id, user_id),
    constraint wallet_available_ge0 check (available >= 0),
    constraint wallet_held_ge0      check (held >= 0),
    constraint wallet_seq_ge0       check (seq >= 0)
) with (fillfactor = 50);
comment on table podi.wallet is 'The points of a user, in minor units';

create table podi.lot (
    tenant_id   uuid         not null,
    lot_id      bigint       generated always as identity,
    wallet_id   uuid         not null,
    kind        text         not null,
    priority    smallint     not null,
    expires_at  timestamptz,
    source_ref  text         not null,
    amount      bigint       not null,
    avail       bigint       not null,
    held        bigint       not null default 0,
    spent       bigint       not null default 0,
    lapsed      bigint       not null default 0,
    created_at  timestamptz  not null default now(),

    constraint lot_pkey       primary key (lot_id, tenant_id),
    constraint lot_source_uq  unique (wallet_id, source_ref, tenant_id),
    constraint lot_wallet_fk  foreign key (tenant_id, wallet_id)
                              references podi.wallet (tenant_id, wallet_id),
    constraint lot_kind_ck    check (kind in ('gift', 'plan', 'paid', 'refund')),
    constraint lot_amount_ck  check (amount > 0),
    constraint lot_parts_ge0  check (avail >= 0 and held >= 0 and spent >= 0
                              and lapsed >= 0),
    constraint lot_conserved  check (avail + held + spent + lapsed = amount)
) with (fillfactor = 60);
comment on table podi.lot is 'Points that came together and expire together';

-- no predicate on avail: that would make every spend a non-HOT update
create index lot_spend_ix on podi.lot
       (wallet_id, tenant_id, priority, expires_at, lot_id);
create index lot_expiry_ix on podi.lot (expires_at)
       where expires_at is not null;

create table podi.hold (
    tenant_id   uuid         not null,
    hold_id     bigint       generated always as identity,
    wallet_id   uuid         not null,
    task_id     uuid         not null,
    amount      bigint       not null,
    captured    bigint       not null default 0,
    released    bigint       not null default 0,
    expires_at  timestamptz  not null,
    created_at  timestamptz  not null default now(),

    constraint hold_pkey      primary key (hold_id, tenant_id),
    constraint hold_task_uq   unique (task_id, tenant_id),
    constraint hold_wallet_fk foreign key (tenant_id, wallet_id)
                              references podi.wallet (tenant_id, wallet_id),
    constraint hold_amount_ck check (amount > 0),
    constraint hold_bounded   check (captured >= 0 and released >= 0
                              and captured + released <= amount)
) with (fillfactor = 60);
comment on table podi.hold is 'Points frozen for one task';
create index hold_open_ix on podi.hold (expires_at)
       where captured + released < amount;

create table podi.hold_alloc (
    tenant_id  uuid      not null,
    hold_id    bigint    not null,
    lot_id     bigint    not null,
    ord        smallint  not null,
    amount     bigint    not null,
    captured   bigint    not null default 0,
    released   bigint    not null default 0,

    constraint hold_alloc_pkey    primary key (hold_id, lot_id, tenant_id),
    constraint hold_alloc_ord_uq  unique (hold_id, ord, tenant_id),
    constraint hold_alloc_hold_fk foreign key (tenant_id, hold_id)
                                  references podi.hold (tenant_id, hold_id),
    constraint hold_alloc_lot_fk  foreign key (tenant_id, lot_id)
                                  references podi.lot (tenant_id, lot_id),
    constraint hold_alloc_amount  check (amount > 0),
    constraint hold_alloc_bounded check (captured >= 0 and released >= 0
                                  and captured + released <= amount)
) with (fillfactor = 60);
comment on table podi.hold_alloc is 'Which lots a hold took, in the order of spending';

create table podi.ledger (
    tenant_id        uuid         not null,
    wallet_id        uuid         not null,
    seq              bigint       not null,
    op               text         not null,
    debit            text         not null,
    credit           text         not null,
    amount           bigint       not null,
    available_after  bigint       not null,
    held_after       bigint       not null,
    hold_id          bigint,
    task_id          uuid,
    job_id           uuid,
    lot_id           bigint,
    idem             text         not null,
    reason           text,
    at               timestamptz  not null default clock_timestamp(),

    constraint ledger_pkey       primary key (wallet_id, tenant_id, seq),
    constraint ledger_idem_uq    unique (wallet_id, idem, tenant_id),
    constraint ledger_wallet_fk  foreign key (tenant_id, wallet_id)
                                 references podi.wallet (tenant_id, wallet_id),
    constraint ledger_seq_ck     check (seq > 0),
    constraint ledger_op_ck      check (op in ('grant', 'freeze', 'confirm',
                                 'release', 'lapse', 'refund', 'adjust')),
    constraint ledger_account_ck check (debit <> credit
                                 and debit in ('granted', 'available', 'held', 'revenue', 'lapsed')
                                 and credit in ('granted', 'available', 'held', 'revenue', 'lapsed')),
    constraint ledger_amount_ck  check (amount > 0),
    constraint ledger_after_ck   check (available_after >= 0 and held_after >= 0)
);
comment on table podi.ledger is 'Every movement of points, once, with the balance after it; append only';
create index ledger_task_ix on podi.ledger (wallet_id, task_id, tenant_id, seq)
       where task_id is not null;

create trigger ledger_row before update or delete on podi.ledger
       for each row execute function internal.append_only();
create trigger ledger_all before truncate on podi.ledger
       for each statement execute function internal.append_only();

do $$
declare
    v_table  text;
begin
    foreach v_table in array array['wallet', 'lot', 'hold', 'hold_alloc',
                                   'ledger'] loop
        execute format('alter table podi.%I enable row level security', v_table);
        execute format('alter table podi.%I force row level security', v_table);
        execute format('create policy tenant_wall on podi.%I to podi_core'
                       ' using (tenant_id = (select internal.tenant()))'
                       ' with check (tenant_id = (select internal.tenant()))',
                       v_table);
        execute format('create policy system_pass on podi.%I to podi_system'
                       ' using (true) with check (true)', v_table);
    end loop;
end
$$;

create policy owner_wall on podi.wallet as restrictive to podi_core
       using ((select internal.role()) is distinct from 'user'
              or user_id = (select internal.user_id()));
