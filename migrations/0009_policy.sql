-- 0009 policy: plans, queue types, gates and price rules
--
-- Why:      how much runs at once, whose turn it is and what it costs is the
--           operator's to decide while everything runs
-- Expand:   yes (running code knows neither the tables nor the columns)
-- Locks:    podi.tenant and podi.action, for a moment (columns with constant
--           defaults)
--
--   tenant --> plan: weight, slots --.
--   action --> queue_type            |--> gate: slots, reserve, rate
--          --> gates (keys, servers) '
--          --> price_rule: the newest that fits channel and plan
--
-- All four are shared and reviewed: no tenant_id, so no row security; only the
-- operator writes them.

set local lock_timeout = '5s';

create table podi.plan (
    plan          text      not null,
    weight        smallint  not null default 1,
    tenant_slots  int,
    user_slots    int,
    low_points    bigint    not null default 0,

    constraint plan_pkey      primary key (plan),
    constraint plan_name_ck   check (plan ~ '^[a-z][a-z0-9_-]{0,31}$'),
    constraint plan_weight_ck check (weight between 1 and 1000),
    constraint plan_slots_ck  check (tenant_slots > 0 and user_slots > 0),
    constraint plan_low_ck    check (low_points >= 0)
);
comment on table podi.plan is 'What a tenant has bought: its share of the turns and its bounds; shared by all tenants';
comment on column podi.plan.weight is 'turns in a round: weight 3 is served three times as often as weight 1';
comment on column podi.plan.tenant_slots is 'jobs of a tenant that run at once; null: no bound';
comment on column podi.plan.user_slots is 'jobs of one user that run at once; null: no bound';
comment on column podi.plan.low_points is 'wallet.low is told below this, unless the wallet says otherwise; 0: never';

insert into podi.plan (plan) values ('standard');

alter table podi.tenant
    add column plan text not null default 'standard',
    add constraint tenant_plan_fk foreign key (plan) references podi.plan (plan);


create table podi.queue_type (
    queue        text      not null,
    label        text      not null,
    state        text      not null default 'active',
    max_crashes  smallint  not null default 3,

    constraint queue_type_pkey       primary key (queue),
    constraint queue_type_name_ck    check (queue ~ '^[a-z][a-z0-9_]{0,15}(:[a-z0-9][a-z0-9_-]{0,15})?$'),
    constraint queue_type_state_ck   check (state in ('active', 'paused')),
    constraint queue_type_crashes_ck check (max_crashes between 1 and 20)
);
comment on table podi.queue_type is 'The queues there are: which kind of worker takes from them; shared by all tenants';
comment on column podi.queue_type.state is 'paused: jobs are accepted and wait';
comment on column podi.queue_type.max_crashes is 'a job that took so many workers with it is set aside';

insert into podi.queue_type (queue, label) values
('image',    'pictures, on this machine'),
('comfyui',  'ComfyUI workflows'),
('index',    'indexing of documents'),
('extract',  'extraction by a model'),
('retrieve', 'retrieval');


create table podi.gate (
    scope      text    not null,
    slots      int,
    reserve    int     not null default 0,
    rate       int,
    period_ms  bigint,
    burst      int,

    constraint gate_pkey       primary key (scope),
    constraint gate_scope_ck   check (scope ~ '^(global|(queue|action|tenant|user|key|comfyui):[a-z0-9*][a-z0-9._:-]{0,63})$'),
    constraint gate_some_ck    check (slots is not null or rate is not null),
    constraint gate_slots_ck   check (slots > 0),
    constraint gate_reserve_ck check (reserve >= 0 and reserve < coalesce(slots, 1)),
    constraint gate_rate_ck    check ((rate is null) = (period_ms is null)
                                      and (rate is null) = (burst is null)
                                      and rate > 0 and period_ms > 0
                                      and burst > 0)
);
comment on table podi.gate is 'How many jobs pass at once, and how fast; shared by all tenants';
comment on column podi.gate.scope is 'global, queue:<queue>, action:<action>, tenant:<id>, user:<id>, key:<name>, comfyui:<name>; tenant:* and user:* stand for those that have no row and whose plan has no bound';
comment on column podi.gate.slots is 'jobs that run at once; null: no bound';
comment on column podi.gate.reserve is 'of the slots, so many are kept for interactive work';
comment on column podi.gate.rate is 'starts in a period (GCRA), each weighing the cost of its action';


create table podi.price_rule (
    rule_id     bigint       generated always as identity,
    action      text         not null,
    channel     text,
    plan        text,
    valid_from  timestamptz  not null default now(),
    base        bigint       not null,
    terms       jsonb        not null default '[]',
    least       bigint       not null default 0,
    most        bigint,
    reason      text         not null,

    constraint price_rule_pkey      primary key (rule_id),
    constraint price_rule_once_uq   unique nulls not distinct
                                    (action, channel, plan, valid_from),
    constraint price_rule_action_fk foreign key (action)
                                    references podi.action (action),
    constraint price_rule_plan_fk   foreign key (plan) references podi.plan (plan),
    constraint price_rule_base_ck   check (base >= 0),
    constraint price_rule_terms_ck  check (jsonb_typeof(terms) = 'array'),
    constraint price_rule_bounds_ck check (least >= 0 and most >= least)
);
comment on table podi.price_rule is 'What a job costs, by action, channel and plan; append only, the newest that has begun is in force; shared by all tenants';
comment on column podi.price_rule.channel is 'null: any; a rule that names channel or plan goes before one that does not, channel before plan';
comment on column podi.price_rule.terms is '[{unit: picture|megapixel|step|token|param, param?, points, per}]: points for each begun `per` of the unit; step, token and param read the parameter';

create trigger price_rule_row before update or delete on podi.price_rule
       for each row execute function internal.append_only();
create trigger price_rule_all before truncate on podi.price_rule
       for each statement execute function internal.append_only();


alter table podi.action
    add column gates     text[]  not null default '{}',
    add column cost      int     not null default 1,
    add column segments  jsonb   not null default '[]',
    add column cancel    text    not null default 'none',
    -- one name a line: a name with a blank in it would be none in Redis
    add constraint action_gates_ck    check (
        gates = string_to_array(array_to_string(gates, E'\n'), E'\n')
        and array_to_string(gates, E'\n')
            ~ '^((key|comfyui):[a-z0-9][a-z0-9._:-]{0,63}(\n|$))*$'),
    add constraint action_cost_ck     check (cost between 1 and 1000000),
    add constraint action_segments_ck check (jsonb_typeof(segments) = 'array'),
    add constraint action_cancel_ck   check (cancel in ('none', 'full'));
comment on column podi.action.gates is 'further scopes a job must pass: key:<name>, comfyui:<name>';
comment on column podi.action.cost is 'what one start weighs in rates';
comment on column podi.action.segments is '[{name, percent}]: a checkpoint each, in this order, with its part of the price; percents add up to 100; empty: one piece';
comment on column podi.action.cancel is 'what a job that is cancelled while it runs costs beyond its finished segments: none of the rest, or all of it';

-- queues may be named http:<name>
alter table podi.action
    drop constraint action_queue_ck,
    add constraint action_queue_ck check (queue ~ '^[a-z][a-z0-9_]{0,15}(:[a-z0-9][a-z0-9_-]{0,15})?$');
