-- 0002 account: tenants, users, sessions, and what every write needs
--
-- Why:      nobody can own anything before somebody exists; the user head and
--           the idempotency rows belong to every later table's use cases
-- Expand:   yes
-- Locks:    none on existing tables
--
-- Every table that has a tenant_id stands behind the tenant wall: row security
-- forced, podi_core sees its own tenant, podi_system sees all.  Rows of a user
-- stand behind a second, restrictive wall while the caller's role is 'user'.

set local lock_timeout = '5s';

create table podi.tenant (
    tenant_id   uuid         not null,
    slug        text         not null,
    name        text         not null,
    state       text         not null default 'active',
    created_at  timestamptz  not null default now(),

    constraint tenant_pkey      primary key (tenant_id),
    constraint tenant_slug_uq   unique (slug),
    constraint tenant_slug_ck   check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    constraint tenant_state_ck  check (state in ('active', 'disabled'))
);
comment on table podi.tenant is 'A customer of the operator; all else belongs to one';

comment on constraint tenant_slug_uq on podi.tenant is 'The one unique index without tenant_id: slugs name tenants';

create table podi.users (
    tenant_id      uuid         not null,
    user_id        uuid         not null,
    login          text         not null,
    display_name   text         not null,
    password_hash  text,
    role           text         not null default 'user',
    state          text         not null default 'active',
    created_at     timestamptz  not null default now(),
    updated_at     timestamptz  not null default now(),

    constraint users_pkey      primary key (tenant_id, user_id),
    constraint users_login_uq  unique (tenant_id, login),
    constraint users_tenant_fk foreign key (tenant_id)
                               references podi.tenant (tenant_id),
    constraint users_login_ck  check (login = lower(login)
                               and length(login) between 1 and 254
                               and login !~ '[[:space:][:cntrl:]]'),
    constraint users_name_ck   check (length(display_name) between 1 and 200),
    constraint users_role_ck   check (role in ('user', 'admin')),
    constraint users_state_ck  check (state in ('active', 'disabled'))
);
comment on table podi.users is 'A person of a tenant';

create table podi.session (
    tenant_id        uuid         not null,
    session_id       uuid         not null,
    user_id          uuid         not null,
    identity_source  text         not null,
    rt_counter       bigint       not null default 1,
    device_label     text,
    ip_prefix        text,
    channel          text,
    created_at       timestamptz  not null default now(),
    last_seen        timestamptz  not null default now(),
    rotated_at       timestamptz  not null default now(),
    idle_expiry      timestamptz  not null,
    abs_expiry       timestamptz  not null,
    revoked_at       timestamptz,
    revoke_reason    text,

    constraint session_pkey      primary key (tenant_id, session_id),
    constraint session_user_fk   foreign key (tenant_id, user_id)
                                 references podi.users (tenant_id, user_id),
    constraint session_source_ck check (identity_source in
                                 ('local', 'oidc', 'partner_token', 'api_key')),
    constraint session_expiry_ck check (idle_expiry <= abs_expiry),
    constraint session_revoke_ck check ((revoked_at is null)
                                 = (revoke_reason is null)),
    constraint session_rt_ck     check (rt_counter > 0),
    constraint session_channel_ck
                                 check (length(channel) between 1 and 256)
);
comment on table podi.session is 'A signed-in device';
comment on column podi.session.channel is 'by which he signed in: all that the session gives out is bound to it; null: none';
comment on column podi.session.rt_counter is 'The newest refresh token; to present it is to rotate it, so the newest was never presented';

create index session_user_ix on podi.session (tenant_id, user_id);
create index session_dead_ix on podi.session
       (least(idle_expiry, revoked_at));
create index session_revoked_ix on podi.session (tenant_id, revoked_at)
       where revoked_at is not null;

create table podi.event_ticket (
    tenant_id    uuid         not null,
    ticket_hash  bytea        not null,
    user_id      uuid         not null,
    session_id   uuid         not null,
    token        text,
    issued_at    timestamptz,
    channel      text,
    expires_at   timestamptz  not null,

    constraint event_ticket_pkey       primary key (tenant_id, ticket_hash),
    constraint event_ticket_session_fk foreign key (tenant_id, session_id)
                                       references podi.session (tenant_id, session_id)
                                       on delete cascade,
    constraint event_ticket_hash_ck    check (octet_length(ticket_hash) = 32)
);
comment on table podi.event_ticket is 'Opens one event stream, once, within seconds';
create index event_ticket_session_ix on podi.event_ticket (tenant_id, session_id);

create table podi.audit (
    tenant_id  uuid         not null,
    audit_id   bigint       generated always as identity,
    at         timestamptz  not null default clock_timestamp(),
    user_id    uuid,
    verb       text         not null,
    detail     jsonb        not null default '{}',
    trace_id   text,

    constraint audit_pkey      primary key (tenant_id, audit_id),
    constraint audit_tenant_fk foreign key (tenant_id)
                               references podi.tenant (tenant_id)
);
comment on table podi.audit is 'Who did what to accounts and money; append only';

create trigger audit_row before update or delete on podi.audit
       for each row execute function internal.append_only();
create trigger audit_all before truncate on podi.audit
       for each statement execute function internal.append_only();

create table podi.idempotency (
    tenant_id   uuid         not null,
    user_id     uuid         not null,
    scope       text         not null,
    key         text         not null,
    route       text         not null,
    body_hash   bytea        not null,
    response    jsonb,
    created_at  timestamptz  not null default now(),

    constraint idempotency_pkey   primary key (tenant_id, user_id, scope, key),
    constraint idempotency_key_ck check (length(key) between 1 and 255)
);
comment on table podi.idempotency is 'The answer to a write that carried a key; the nil user is anonymous';
comment on column podi.idempotency.scope is 'Keeps the keys of strangers apart: the login they register; empty for users';
create index idempotency_age_ix on podi.idempotency (created_at);

-- top is the wall's clock of one user: whoever writes events holds this row
create table podi.user_head (
    tenant_id  uuid    not null,
    user_id    uuid    not null,
    top        bigint  not null default 0,
    floor      bigint  not null default 0,
    epoch      text    not null default left(replace(gen_random_uuid()::text, '-', ''), 16),
    trim_at    timestamptz  not null default now(),

    constraint user_head_pkey     primary key (tenant_id, user_id),
    constraint user_head_user_fk  foreign key (tenant_id, user_id)
                                  references podi.users (tenant_id, user_id),
    constraint user_head_order_ck check (0 <= floor and floor <= top)
) with (fillfactor = 50);
comment on table podi.user_head is 'Where a user''s events stand: dense from floor + 1 to top';
comment on column podi.user_head.trim_at is 'Before this no event of the user can be old enough to go';

-- top is not in it: appending stays a HOT update
create index user_head_trim_ix on podi.user_head (trim_at);

create table podi.user_event (
    tenant_id  uuid         not null,
    user_id    uuid         not null,
    seq        bigint       not null,
    at         timestamptz  not null,
    type       text         not null,
    task_id    uuid,
    job_id     uuid,
    trace_id   text,
    data       jsonb        not null default '{}',

    constraint user_event_pkey    primary key (tenant_id, user_id, seq),
    constraint user_event_head_fk foreign key (tenant_id, user_id)
                                  references podi.user_head (tenant_id, user_id),
    constraint user_event_type_ck check (type ~ '^[a-z]+\.[a-z]+$')
);
comment on table podi.user_event is 'What a user is told, numbered without gaps in commit order';
create index user_event_task_ix on podi.user_event (tenant_id, task_id, seq)
       where task_id is not null;

-- shared by all tenants (reviewed): keys of the signed context, and workers
create table podi.context_key (
    key_id      text         not null,
    ipad        bytea        not null,
    opad        bytea        not null,
    created_at  timestamptz  not null default now(),
    retired_at  timestamptz,

    constraint context_key_pkey    primary key (key_id),
    constraint context_key_size_ck check (octet_length(ipad) = 64
                                   and octet_length(opad) = 64),
    constraint context_key_id_ck   check (key_id ~ '^[A-Za-z0-9_-]{1,32}$')
);
comment on table podi.context_key is 'HMAC blocks of the context keys; internal.context_verify alone reads them';

create table podi.worker (
    worker      text         not null,
    daemon      text         not null,
    host        text         not null,
    pid         int          not null,
    jobs        int          not null default 0,
    started_at  timestamptz  not null default now(),
    seen_at     timestamptz  not null default now(),

    constraint worker_pkey primary key (worker)
);
comment on table podi.worker is 'Processes that beat; shared by all tenants';

do $$
declare
    v_table  text;
begin
    foreach v_table in array array['tenant', 'users', 'session', 'event_ticket',
                                   'audit', 'idempotency', 'user_head',
                                   'user_event'] loop
        execute format('alter table podi.%I enable row level security', v_table);
        execute format('alter table podi.%I force row level security', v_table);
        execute format('create policy tenant_wall on podi.%I to podi_core'
                       ' using (tenant_id = (select internal.tenant()))'
                       ' with check (tenant_id = (select internal.tenant()))',
                       v_table);
        execute format('create policy system_pass on podi.%I to podi_system'
                       ' using (true) with check (true)', v_table);
    end loop;

    foreach v_table in array array['users', 'session', 'event_ticket',
                                   'idempotency', 'user_head',
                                   'user_event'] loop
        execute format('create policy owner_wall on podi.%I as restrictive'
                       ' to podi_core'
                       ' using ((select internal.role()) is distinct from ''user'''
                       ' or user_id = (select internal.user_id()))', v_table);
    end loop;
end
$$;

-- a slug has to be read before the tenant is known
create policy keeper_read on podi.tenant for select to podi_keeper using (true);
