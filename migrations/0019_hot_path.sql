-- 0019 hot path: checks that are not parsed for each statement, and no keys
-- where the writer has the parent in hand
--
-- Why:      a check constraint is parsed and planned anew for each statement
--           that writes a row: those of podi.job cost four times what the
--           update itself does; a function is parsed once a connection.  A
--           foreign key looks its parent up, and locks it, for each row
-- Expand:   yes (the same rules; a row that breaks one is refused as before,
--           by the name of the table's one check)
-- Locks:    the tables named, for a moment; each is read through once; an index
--           of podi.job is made anew

set local lock_timeout = '5s';

\ir internal/job_legal.sql
\ir internal/task_legal.sql
\ir internal/attempt_legal.sql
\ir internal/hold_legal.sql
\ir internal/alloc_legal.sql
\ir internal/lot_legal.sql
\ir internal/wallet_legal.sql
\ir internal/entry_legal.sql

do $$
declare
    v_check  record;
begin
    for v_check in
        select c.conrelid::regclass as rel, c.conname
          from pg_constraint c
         where c.contype = 'c'
               and c.conrelid in ('podi.job'::regclass,
                                  'podi.task_header'::regclass,
                                  'podi.attempt'::regclass,
                                  'podi.hold'::regclass,
                                  'podi.hold_alloc'::regclass,
                                  'podi.lot'::regclass,
                                  'podi.wallet'::regclass,
                                  'podi.ledger'::regclass)
    loop
        execute format('alter table %s drop constraint %I', v_check.rel,
                       v_check.conname);
    end loop;
end
$$;

alter table podi.job
    add constraint job_legal_ck check (internal.job_legal(job));
alter table podi.task_header
    add constraint task_legal_ck check (internal.task_legal(task_header));
alter table podi.attempt
    add constraint attempt_legal_ck check (internal.attempt_legal(attempt));
alter table podi.hold
    add constraint hold_legal_ck check (internal.hold_legal(hold));
alter table podi.hold_alloc
    add constraint alloc_legal_ck check (internal.alloc_legal(hold_alloc));
alter table podi.lot
    add constraint lot_legal_ck check (internal.lot_legal(lot));
alter table podi.wallet
    add constraint wallet_legal_ck check (internal.wallet_legal(wallet));
-- rows of before the chain have no hash
alter table podi.ledger
    add constraint entry_legal_ck check (internal.entry_legal(ledger)) not valid;


-- see docs/decisions/0012-rows-of-the-hot-path.md; I18 looks at what they did
alter table podi.hold_alloc
    drop constraint hold_alloc_hold_fk,
    drop constraint hold_alloc_lot_fk;
alter table podi.ledger drop constraint ledger_wallet_fk;
alter table podi.task_header drop constraint task_header_hold_fk;
alter table podi.job
    drop constraint job_task_fk,
    drop constraint job_hold_fk;
alter table podi.attempt drop constraint attempt_job_fk;
alter table podi.media
    drop constraint media_task_fk,
    drop constraint media_job_fk;


-- who says that a job succeeded must have made something, where the action is
-- to make it
alter table podi.action
    add column outputs smallint not null default 0,
    add constraint action_outputs_ck check (outputs between 0 and 64);
comment on column podi.action.outputs is 'so many results a job of it makes at least';
update podi.action a
   set outputs = 1
 where a.action in ('image.resize', 'image.convert', 'image.thumbnail',
                    'image.montage');


-- a key is of a graph's jobs only: the others need no entry
alter table podi.job drop constraint job_key_uq;
create unique index job_key_uq on podi.job (task_id, key, tenant_id)
       where key is not null;
