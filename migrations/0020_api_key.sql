-- 0020 api_key: keys that programs sign in with
--
-- Why:      a program has no browser and no password; it gets a key of its
--           own, that can do less than its user and can be taken back alone
-- Expand:   yes (running code does not know the table)
-- Locks:    none on existing tables
--
--      api_key --its id--> session of source api_key --> users
--
-- A key is a session that never refreshes: so ending it, its user's being
-- disabled and the feed of ended sessions hold for keys as they are.  Only a
-- digest of the secret is kept: it has 160 random bits, so nobody guesses it
-- back.

set local lock_timeout = '5s';

create table podi.api_key (
    tenant_id    uuid         not null,
    key_id       uuid         not null,
    user_id      uuid         not null,
    name         text         not null,
    max_role     text         not null,
    scopes       text[]       not null,
    secret_hash  bytea        not null,
    created_at   timestamptz  not null default now(),
    used_at      timestamptz,

    constraint api_key_pkey       primary key (tenant_id, key_id),
    constraint api_key_session_fk foreign key (tenant_id, key_id)
                                  references podi.session (tenant_id, session_id)
                                  on delete cascade,
    constraint api_key_user_fk    foreign key (tenant_id, user_id)
                                  references podi.users (tenant_id, user_id),
    constraint api_key_name_ck    check (length(name) between 1 and 100),
    constraint api_key_role_ck    check (max_role in ('user', 'admin', 'service')),
    constraint api_key_scopes_ck  check (cardinality(scopes) <= 32
                                  and length(array_to_string(scopes, ' ')) <= 1000),
    constraint api_key_hash_ck    check (octet_length(secret_hash) = 32)
);
comment on table podi.api_key is 'Keys of programs; when one ends stands in its session';
comment on column podi.api_key.max_role is 'what it may be at most: it is no more than its user, either';
comment on column podi.api_key.scopes is 'words that podi_require scope asks for';
comment on column podi.api_key.used_at is 'to the minute';

create index api_key_user_ix on podi.api_key (tenant_id, user_id, key_id);

create type podi.api_key_card as (
    key_id      uuid,
    name        text,
    role        text,
    scopes      jsonb,
    created_at  timestamptz,
    expires_at  timestamptz,
    used_at     timestamptz,
    revoked_at  timestamptz
);
comment on type podi.api_key_card is 'A key as its owner is shown it; made by internal.api_key_card';


alter table podi.api_key enable row level security;
alter table podi.api_key force row level security;

create policy tenant_wall on podi.api_key to podi_core
       using (tenant_id = (select internal.tenant()))
       with check (tenant_id = (select internal.tenant()));
create policy system_pass on podi.api_key to podi_system
       using (true) with check (true);
create policy owner_wall on podi.api_key as restrictive to podi_core
       using ((select internal.role()) is distinct from 'user'
              or user_id = (select internal.user_id()));
