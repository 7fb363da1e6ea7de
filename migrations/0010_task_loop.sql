-- 0010 task loop: graphs, rounds, segments, priorities, logs
--
-- Why:      work that consists of parts must be payable, repeatable and
--           explainable by its parts
-- Expand:   yes (columns with constant defaults; states that running code
--           never writes)
-- Locks:    podi.task_header, podi.job, podi.attempt, podi.hold for a moment;
--           the replaced checks are read through once
--
--      job:   blocked --what it needs succeeded--> queued --claim--> running
--                |                                   ^   <--retry, lost-- |
--                '--what it needs did not----.       |                    |
--                                            v       | POST .../retry     v
--                                  failed, cancelled-'      succeeded, failed,
--                                                           cancelled
--      task:  as in 0006, and failed, partial, cancelled --retry--> queued
--
-- Lock order, everywhere: idempotency row, task_header, job, quota_use,
-- wallet, hold, lot, user_head; ascending id within each.

set local lock_timeout = '5s';

alter table podi.task_header
    add column priority     smallint     not null default 1,
    add column on_failure   text         not null default 'continue',
    add column start_at     timestamptz,
    add column deadline_at  timestamptz,
    add column round        smallint     not null default 1,
    add constraint task_priority_ck   check (priority between 0 and 2),
    add constraint task_on_failure_ck check (on_failure in ('continue', 'stop')),
    add constraint task_round_ck      check (round > 0),
    add constraint task_deadline_ck   check (deadline_at > coalesce(start_at, created_at));
comment on column podi.task_header.priority is '0 interactive, 1 normal, 2 batch';
comment on column podi.task_header.on_failure is 'stop: when a job fails, those that have not started are cancelled';
comment on column podi.task_header.round is 'how often it was begun: 1 + retries by its user; each round that costs has its own hold';
comment on column podi.task_header.hold_id is 'the hold of the newest round that costs';


alter table podi.hold
    add column round smallint not null default 1,
    drop constraint hold_task_uq,
    add constraint hold_task_uq unique (task_id, round, tenant_id);


alter table podi.job
    add column key         text,
    add column priority    smallint  not null default 1,
    add column needs_open  smallint  not null default 0,
    add column hold_id     bigint,
    add column rule_id     bigint,
    add column confirmed   bigint    not null default 0,
    add column segment     smallint  not null default 0,
    add column checkpoint  jsonb,
    add column set_aside   boolean   not null default false,
    drop constraint job_state_ck,
    add constraint job_state_ck     check (state in ('blocked', 'queued', 'running',
                                                     'succeeded', 'failed', 'cancelled')),
    drop constraint job_charged_ck,
    add constraint job_charged_ck   check (charged between confirmed and price
                                           and (charged = confirmed
                                                or state in ('succeeded', 'cancelled'))),
    add constraint job_priority_ck  check (priority between 0 and 2),
    add constraint job_needs_ck     check (needs_open >= 0
                                           and (state = 'blocked') <= (needs_open > 0)
                                           and (state in ('queued', 'running', 'succeeded'))
                                               <= (needs_open = 0)),
    add constraint job_hold_fk      foreign key (tenant_id, hold_id)
                                    references podi.hold (tenant_id, hold_id),
    add constraint job_confirmed_ck check (confirmed between 0 and price),
    add constraint job_segment_ck   check (segment >= 0),
    add constraint job_key_uq       unique (task_id, key, tenant_id),
    add constraint job_aside_ck     check (not set_aside or state = 'failed');
comment on column podi.job.key is 'its name inside the graph of the task; null: not a graph';
comment on column podi.job.needs_open is 'jobs of the task that must succeed before it may start';
comment on column podi.job.hold_id is 'what pays for it in the newest round; null: it costs nothing';
comment on column podi.job.rule_id is 'the price rule by which it was priced; null: the price of the action';
comment on column podi.job.confirmed is 'of the price, what finished segments have cost so far';
comment on column podi.job.segment is 'how many segments are finished';
comment on column podi.job.checkpoint is 'what the last finished segment left for the next';
comment on column podi.job.set_aside is 'a poison job that nobody has looked at: the dead letters';

create index job_aside_ix on podi.job (queue, job_id) where set_aside;


create table podi.job_need (
    tenant_id     uuid      not null,
    job_id        uuid      not null,
    needs_job_id  uuid      not null,
    place         smallint,

    constraint job_need_pkey     primary key (job_id, needs_job_id, tenant_id),
    constraint job_need_job_fk   foreign key (tenant_id, job_id)
                                 references podi.job (tenant_id, job_id),
    constraint job_need_needs_fk foreign key (tenant_id, needs_job_id)
                                 references podi.job (tenant_id, job_id),
    constraint job_need_other_ck check (job_id <> needs_job_id),
    constraint job_need_place_ck check (place between 1 and 64)
);
comment on table podi.job_need is 'Which job of a task waits for which';
comment on column podi.job_need.place is 'the input that its first result becomes; null: it only goes first';
create index job_need_needs_ix on podi.job_need (needs_job_id);


create table podi.job_log (
    tenant_id  uuid         not null,
    job_id     uuid         not null,
    n          int          not null,
    at         timestamptz  not null default clock_timestamp(),
    fence      int          not null,
    level      text         not null,
    line       text         not null,

    constraint job_log_pkey     primary key (job_id, n, tenant_id),
    constraint job_log_job_fk   foreign key (tenant_id, job_id)
                                references podi.job (tenant_id, job_id),
    constraint job_log_n_ck     check (n between 1 and 1000),
    constraint job_log_level_ck check (level in ('info', 'warn', 'error')),
    constraint job_log_line_ck  check (length(line) between 1 and 1000)
);
comment on table podi.job_log is 'What a job said while it ran: capped, redacted by the worker';


alter table podi.attempt
    add column usage        jsonb   not null default '{}',
    add column cost_micros  bigint,
    add constraint attempt_usage_ck check (jsonb_typeof(usage) = 'object'),
    add constraint attempt_cost_ck  check (cost_micros >= 0);
comment on column podi.attempt.usage is 'what it used of what is metered: {calls, tokens, steps}';
comment on column podi.attempt.cost_micros is 'what the provider asked for it, in millionths of the operator''s currency';


do $$
declare
    v_table  text;
begin
    foreach v_table in array array['job_need', 'job_log'] loop
        execute format('alter table podi.%I enable row level security', v_table);
        execute format('alter table podi.%I force row level security', v_table);
        execute format('create policy tenant_wall on podi.%I to podi_core'
                       ' using (tenant_id = (select internal.tenant()))'
                       ' with check (tenant_id = (select internal.tenant()))',
                       v_table);
        execute format('create policy system_pass on podi.%I to podi_system'
                       ' using (true) with check (true)', v_table);
        execute format('create policy owner_wall on podi.%I as restrictive'
                       ' to podi_core'
                       ' using ((select internal.role()) is distinct from ''user'''
                       ' or exists (select 1 from podi.job j'
                       ' where j.job_id = %I.job_id'
                       ' and j.tenant_id = %I.tenant_id))',
                       v_table, v_table, v_table);
    end loop;
end
$$;
