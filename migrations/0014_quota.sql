-- 0014 quota: budgets of users and tenants
--
-- Why:      what may be spent, asked for and under way is bounded by day, by
--           month and at once, before the money of it is touched
-- Expand:   yes (running code knows neither the tables nor the columns)
-- Locks:    podi.tenant, podi.plan and podi.action for a moment (columns with
--           constant defaults)
--
--      quota, plan.quotas --bound--> quota_use: used + reserved <= most
--                                        ^               ^
--            submit, retry --reserve-----'               | settle
--                  '--> quota_hold of the task --job ends'
--
-- A task remembers what it reserved and of which period (quota_hold), so that
-- one that ends next month is settled in the month that it began in, whatever
-- became of the budget meanwhile.  The lock of the task guards its quota_hold
-- rows; those of quota_use are locked after the jobs and before the wallets,
-- in the order of their key.

set local lock_timeout = '5s';

alter table podi.tenant
    add column time_zone text not null default 'UTC';
comment on column podi.tenant.time_zone is 'when its days and months begin';

alter table podi.plan
    add column quotas jsonb not null default '[]',
    add constraint plan_quotas_ck check (jsonb_typeof(quotas) = 'array');
comment on column podi.plan.quotas is '[{scope, meter, period, most}]: budgets of those who have none of their own of that kind';

alter table podi.action
    add column tokens bigint not null default 0,
    add constraint action_tokens_ck check (tokens between 0 and 1000000000000);
comment on column podi.action.tokens is 'what a job of it is expected to use of a model; reserved of a budget of tokens';


create table podi.quota (
    tenant_id  uuid    not null,
    quota_id   bigint  generated always as identity,
    scope      text    not null,
    user_id    uuid,
    meter      text    not null,
    period     text    not null,
    most       bigint  not null,

    constraint quota_pkey      primary key (tenant_id, quota_id),
    constraint quota_once_uq   unique nulls not distinct
                               (tenant_id, scope, user_id, meter, period),
    constraint quota_user_fk   foreign key (tenant_id, user_id)
                               references podi.users (tenant_id, user_id),
    constraint quota_scope_ck  check (scope = 'user'
                                      or scope = 'tenant' and user_id is null),
    constraint quota_meter_ck  check (meter in ('points', 'tasks', 'calls',
                                                'tokens', 'in_flight')),
    constraint quota_period_ck check (case meter when 'in_flight'
                                      then period = 'none'
                                      else period in ('day', 'month') end),
    constraint quota_most_ck   check (most between 0 and 1000000000000000)
);
comment on table podi.quota is 'Budgets: how much of a meter in a period';
comment on column podi.quota.scope is 'tenant: all its users together; user: each by himself';
comment on column podi.quota.user_id is 'of scope user: whose; null: of everybody who has none of his own';
comment on column podi.quota.meter is 'points, tasks, calls of a provider, tokens of a model; in_flight: tasks that have not ended';
comment on column podi.quota.period is 'day, month, in the time zone of the tenant; none: at once';

create table podi.quota_use (
    tenant_id     uuid         not null,
    subject       uuid         not null,
    meter         text         not null,
    period        text         not null,
    period_start  timestamptz  not null,
    used          bigint       not null default 0,
    reserved      bigint       not null default 0,

    constraint quota_use_pkey    primary key (subject, meter, period,
                                              period_start, tenant_id),
    constraint quota_use_some_ck check (used >= 0 and reserved >= 0)
) with (fillfactor = 50);
create index quota_use_start_ix on podi.quota_use (period_start)
       where period <> 'none';
comment on table podi.quota_use is 'How much of a budget is used, and reserved by what has not ended; counted from when there was a budget';
comment on column podi.quota_use.subject is 'a user, or the tenant itself';
comment on column podi.quota_use.period_start is 'its first moment; -infinity: of none';

create table podi.quota_hold (
    tenant_id     uuid         not null,
    task_id       uuid         not null,
    subject       uuid         not null,
    meter         text         not null,
    period        text         not null,
    period_start  timestamptz  not null,
    reserved      bigint       not null,
    open          boolean      not null default true,
    made_at       timestamptz  not null default clock_timestamp(),

    constraint quota_hold_pkey    primary key (task_id, subject, meter, period,
                                               period_start, tenant_id),
    constraint quota_hold_some_ck check (reserved >= 0
                                         and (open or reserved = 0))
) with (fillfactor = 70);
comment on table podi.quota_hold is 'What a task has reserved of which budgets, until its jobs end';
comment on column podi.quota_hold.open is 'false: the round that reserved it has ended and is settled';
comment on column podi.quota_hold.made_at is 'attempts since then are of this round';
create index quota_hold_open_ix on podi.quota_hold (task_id) where open;
create index quota_hold_made_ix on podi.quota_hold (made_at) where not open;


-- arrays of these two have an estimate that makes the planner look rows up
create type podi.quota_bound as (
    scope         text,
    subject       uuid,
    meter         text,
    period        text,
    most          bigint,
    period_start  timestamptz,
    resets_at     timestamptz
);
comment on type podi.quota_bound is 'A budget that holds for somebody now';

create type podi.quota_move as (
    tenant_id     uuid,
    task_id       uuid,
    subject       uuid,
    meter         text,
    period        text,
    period_start  timestamptz,
    back          bigint,
    used          bigint,
    last          boolean
);
comment on type podi.quota_move is 'What a task gives back of what it reserved, and what of it was used';


do $$
declare
    v_table  text;
begin
    foreach v_table in array array['quota', 'quota_use', 'quota_hold'] loop
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

create policy owner_wall on podi.quota as restrictive to podi_core
       using ((select internal.role()) is distinct from 'user'
              or user_id is null or user_id = (select internal.user_id()));
create policy owner_wall on podi.quota_use as restrictive to podi_core
       using ((select internal.role()) is distinct from 'user'
              or subject = (select internal.user_id())
              or subject = (select internal.tenant()));
