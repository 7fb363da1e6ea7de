-- 0024 executor: what carries an action out, and what it left elsewhere
--
-- Why:      jobs run on machines and services that are not ours: where an
--           attempt went, and under which id, must be known before anything
--           goes out, so that whoever comes next looks there and asks for
--           nothing twice
-- Expand:   yes (columns with constant defaults; running code does not know
--           the tables)
-- Locks:    podi.action and podi.attempt, for a moment
--
--      action.executor --builtin--> podi_imaged
--                      --comfy----> comfy_workflow (the live version)
--                                   comfy_server <-- comfy_seen: a hint
--                      --provider-> conf/providers, provider_key
--
--      attempt.remote_state:  (nothing) --> intended --> submitted --> ended
--               ^                               '-----------'
--               '--who comes next adopts what is intended or submitted
--
-- The tables are the operator's: no tenant_id, so no row security; only sys
-- functions read them.  Keys are sealed before they come here.

set local lock_timeout = '5s';

\ir internal/fallback_fault.sql
\ir internal/comfy_fallback_fault.sql
\ir internal/executor_fault.sql

alter table podi.action
    add column executor jsonb not null default '{"kind": "builtin"}',
    add constraint action_executor_ck check (internal.executor_fault(executor) is null);
comment on column podi.action.executor is '{kind: builtin} | {kind: comfy, workflow, labels: [those that its server must have], set, fallback: [{workflow, labels, set, when: [class], after: seconds} or {provider, operation, set, when, after}]} | {kind: provider, provider, operation, set, fallback: [{provider, operation, set, when: [class]} or {wait: seconds, when}]} | {kind: mock, mock: ok, slow or fail}';


alter table podi.attempt
    add column remote        jsonb,
    add column remote_state  text;
comment on column podi.attempt.provider is 'who was asked: comfy:<server>, or the name of a provider';
comment on column podi.attempt.provider_ref is 'what it is called there: the id of a prompt, or of a request';
comment on column podi.attempt.remote is 'what is needed to follow it there';
comment on column podi.attempt.remote_state is 'intended: it may have been asked for; submitted: it was; ended: nothing is left to be looked for';

-- not of what is none: a settle of such an attempt stays HOT
create index attempt_open_ix on podi.attempt (provider)
       where remote_state in ('intended', 'submitted');


create table podi.setting (
    setting  text   not null,
    value    jsonb  not null,

    constraint setting_pkey       primary key (setting),
    constraint setting_sandbox_ck check (setting <> 'sandbox'
                                         or jsonb_typeof(value) = 'boolean')
);
comment on table podi.setting is 'What this database is; written by apply.sh alone, shared by all tenants';
insert into podi.setting (setting, value) values ('sandbox', 'false');


create table podi.operator_audit (
    audit_id  bigint       generated always as identity,
    at        timestamptz  not null default clock_timestamp(),
    verb      text         not null,
    detail    jsonb        not null,

    constraint operator_audit_pkey primary key (audit_id)
);
comment on table podi.operator_audit is 'What the operator did that is of no tenant; append only';

create trigger operator_audit_row before update or delete on podi.operator_audit
       for each row execute function internal.append_only();
create trigger operator_audit_all before truncate on podi.operator_audit
       for each statement execute function internal.append_only();


create table podi.provider_key (
    key_id       uuid         not null,
    provider     text         not null,
    name         text         not null,
    state        text         not null default 'active',
    kek          text         not null,
    sealed       bytea        not null,
    created_at   timestamptz  not null default now(),
    disabled_at  timestamptz,

    constraint provider_key_pkey        primary key (key_id),
    constraint provider_key_provider_ck check (provider ~ '^[a-z][a-z0-9_]{0,31}$'),
    constraint provider_key_name_ck     check (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    constraint provider_key_state_ck    check (state in ('active', 'disabled')
                                               and (state = 'disabled')
                                                   = (disabled_at is not null)),
    constraint provider_key_kek_ck      check (kek ~ '^[0-9a-f]{8}$'),
    -- nonce, something, tag
    constraint provider_key_sealed_ck   check (octet_length(sealed) between 29 and 16384)
);
comment on table podi.provider_key is 'Keys of providers, sealed; shared by all tenants';
comment on column podi.provider_key.provider is 'as its description is named; comfyui: of ComfyUI servers';
comment on column podi.provider_key.kek is 'which key-encryption key it is sealed under: the start of its SHA-256';
comment on column podi.provider_key.sealed is 'AES-256-GCM: nonce, ciphertext, tag; it opens in its own row only';
create unique index provider_key_active_ix on podi.provider_key (provider, name)
       where state = 'active';


create table podi.comfy_server (
    server         text         not null,
    url            text         not null,
    ws_url         text,
    auth           jsonb        not null default '{}',
    ca_file        text,
    labels         text[]       not null default '{}',
    slots          int          not null default 1,
    prefetch       int          not null default 1,
    state          text         not null default 'active',
    single_tenant  boolean      not null default false,
    updated_at     timestamptz  not null default now(),

    constraint comfy_server_pkey primary key (server)
);
comment on table podi.comfy_server is 'The ComfyUI servers there are; shared by all tenants';
comment on column podi.comfy_server.ws_url is 'where its socket is, when that does not follow from url';
comment on column podi.comfy_server.auth is '{headers: {name: key}, query: {name: key}}; a key is the name of an active podi.provider_key of provider comfyui';
comment on column podi.comfy_server.slots is 'prompts that it runs at once';
comment on column podi.comfy_server.prefetch is 'prompts of ours that may wait there besides';
comment on column podi.comfy_server.state is 'draining: what is there is brought to its end, nothing new is sent; disabled: nobody talks to it';
comment on column podi.comfy_server.single_tenant is 'nobody else uses it: an interrupt without an id hits one of ours';

\ir internal/comfy_server_fault.sql
alter table podi.comfy_server
    add constraint comfy_server_legal_ck check (internal.comfy_server_fault(comfy_server) is null);


create table podi.comfy_seen (
    server              text         not null,
    at                  timestamptz  not null default now(),
    ok                  boolean      not null default false,
    version             text,
    queue_remaining     int,
    targeted_interrupt  boolean,
    nodes               jsonb,
    models              jsonb,
    fault               text,

    constraint comfy_seen_pkey      primary key (server),
    constraint comfy_seen_server_fk foreign key (server)
                                    references podi.comfy_server (server)
                                    on delete cascade,
    constraint comfy_seen_cards_ck  check (jsonb_typeof(nodes) = 'object'
                                           and jsonb_typeof(models) = 'object')
);
comment on table podi.comfy_seen is 'What was last seen of a ComfyUI server: a hint, never the truth; shared by all tenants';
comment on column podi.comfy_seen.queue_remaining is 'what waits or runs there, other people''s included';
comment on column podi.comfy_seen.targeted_interrupt is 'it stops the prompt that is named, and no other';
comment on column podi.comfy_seen.nodes is 'class -> {required, optional}: the names of its inputs, as a list or as members';
comment on column podi.comfy_seen.models is 'names of models, by the input that takes them, or by folder';


create table podi.comfy_workflow (
    workflow      text         not null,
    version       int          not null,
    state         text         not null default 'draft',
    graph         jsonb        not null,
    mapping       jsonb        not null,
    needs         jsonb        not null,
    idle_ms       bigint       not null default 300000,
    created_at    timestamptz  not null default now(),
    published_at  timestamptz,

    constraint comfy_workflow_pkey     primary key (workflow, version),
    constraint comfy_workflow_name_ck  check (workflow ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    constraint comfy_workflow_count_ck check (version > 0),
    constraint comfy_workflow_state_ck check (state in ('draft', 'live', 'retired')
                                              and (state = 'draft')
                                                  = (published_at is null)),
    constraint comfy_workflow_idle_ck  check (idle_ms between 1000 and 86400000)
);
comment on table podi.comfy_workflow is 'What ComfyUI is asked to run: graphs, and where our parameters go in them; shared by all tenants';
comment on column podi.comfy_workflow.graph is 'as ComfyUI exports it for its API';
comment on column podi.comfy_workflow.mapping is '{params: {name: [{node, input, type}]}, inputs: [{node, input}], outputs: [{node}], seed: [{node, input}], keep_temp, strip, retry_exceptions}';
comment on column podi.comfy_workflow.needs is '{nodes, models} that a server must have, taken from the graph';
comment on column podi.comfy_workflow.idle_ms is 'a prompt that runs so long without a sign of progress is stuck';
create unique index comfy_workflow_live_ix on podi.comfy_workflow (workflow)
       where state = 'live';

\ir internal/comfy_targets.sql
\ir internal/comfy_graph_fault.sql
\ir internal/comfy_mapping_fault.sql
alter table podi.comfy_workflow
    add constraint comfy_workflow_graph_ck   check (internal.comfy_graph_fault(graph) is null),
    add constraint comfy_workflow_mapping_ck check (internal.comfy_mapping_fault(graph, mapping) is null);
