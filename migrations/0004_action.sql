-- 0004 action: what a user may ask to be done to a picture, and its price
--
-- Why:      prices, parameters and limits are data, read by the page, by the
--           quote and by the submit, so that the three can never differ
-- Expand:   yes (running code does not know the table)
-- Locks:    none on existing tables
--
-- Shared and reviewed: it has no tenant_id, so it has no row security; only
-- the operator writes it (sys.action_put), everybody reads it.

set local lock_timeout = '5s';

create table podi.action (
    action        text         not null,
    queue         text         not null,
    state         text         not null default 'active',
    public        boolean      not null default true,
    label         jsonb        not null,
    description   jsonb        not null,
    params        jsonb        not null default '{}',
    any_of        text[]       not null default '{}',
    accepts       jsonb        not null,
    inputs        jsonb        not null default '{"min": 1, "max": 1}',
    price         bigint       not null,
    timeout_ms    bigint       not null,
    max_attempts  smallint     not null default 3,
    max_wait_ms   bigint       not null,
    updated_at    timestamptz  not null default now(),

    constraint action_pkey         primary key (action),
    constraint action_name_ck      check (action ~ '^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$'),
    constraint action_queue_ck     check (queue ~ '^[a-z][a-z0-9_]{0,31}$'),
    constraint action_state_ck     check (state in ('active', 'disabled')),
    constraint action_label_ck     check (label ?& array['zh', 'en']
                                          and description ?& array['zh', 'en']),
    constraint action_params_ck    check (jsonb_typeof(params) = 'object'),
    constraint action_accepts_ck   check (jsonb_typeof(accepts) = 'array'),
    -- a job takes exactly one input, so an action must be content with one
    constraint action_inputs_ck    check (coalesce((inputs ->> 'min')::int <= 1
                                                   and (inputs ->> 'max')::int >= 1,
                                                   false)),
    -- 64 jobs of it still make a bigint
    constraint action_price_ck     check (price between 0 and 1000000000000000),
    constraint action_timeout_ck   check (timeout_ms between 1000 and 86400000),
    constraint action_attempts_ck  check (max_attempts between 1 and 20),
    constraint action_wait_ck      check (max_wait_ms between 1000 and 604800000)
);

comment on table podi.action is 'What may be asked, with its parameters and its price; shared by all tenants';
comment on column podi.action.params is 'name -> {type, minimum, maximum, enum, default, required, label, description}';
comment on column podi.action.any_of is 'at least one of these parameters must be given';
comment on column podi.action.price is 'minor units of points, for one job';
comment on column podi.action.max_wait_ms is 'a job that has not started so long after the submit has failed';
