-- 0021 revocation: users, tokens and channels, beside sessions
--
-- Why:      a session ends in its row; but a token may be lost alone, all that
--           a user was issued may have to go, and so may what other issuers
--           have issued, whose people have no rows here
-- Expand:   yes (running code knows neither table)
-- Locks:    none on existing tables
--
--      session.revoked_at --.
--      revocation ----------+--> api.revocation_feed --> every nginx
--      revocation_any ------'
--
-- revocation is of one tenant's people.  revocation_any is of everybody else's,
-- and of channels, which belong to configurations: no tenant, so no row
-- security; only the operator writes it.

set local lock_timeout = '5s';

create table podi.revocation (
    tenant_id   uuid         not null,
    kind        text         not null,
    id          text         not null,
    not_before  timestamptz,
    until       timestamptz  not null,
    reason      text         not null,
    revoked_at  timestamptz  not null default clock_timestamp(),

    constraint revocation_pkey      primary key (tenant_id, kind, id),
    constraint revocation_tenant_fk foreign key (tenant_id)
                                    references podi.tenant (tenant_id),
    constraint revocation_kind_ck   check (kind in ('user', 'token')),
    constraint revocation_id_ck     check (length(id) between 1 and 512)
);
comment on table podi.revocation is 'What is no longer believed of the tokens of a tenant''s users';
comment on column podi.revocation.kind is 'user: his user_id; token: its jti';
comment on column podi.revocation.not_before is 'tokens issued before are refused; null: all';
comment on column podi.revocation.until is 'then no such token can live any more';
create index revocation_at_ix on podi.revocation (tenant_id, revoked_at);

create table podi.revocation_any (
    issuer      text         not null,
    kind        text         not null,
    id          text         not null,
    not_before  timestamptz,
    until       timestamptz  not null,
    reason      text         not null,
    revoked_at  timestamptz  not null default clock_timestamp(),

    constraint revocation_any_pkey     primary key (issuer, kind, id),
    constraint revocation_any_kind_ck  check (kind in ('user', 'session',
                                              'token', 'channel')),
    constraint revocation_any_channel_ck
                                       check ((kind = 'channel') = (issuer = '')),
    constraint revocation_any_id_ck    check (length(id) between 1 and 512)
);
comment on table podi.revocation_any is 'The same of other issuers'' people, of tokens of ours by their jti alone, and of channels; shared by all tenants';
comment on column podi.revocation_any.issuer is 'as podi_issuer names it; podi: ours; empty: of a channel';
create index revocation_any_at_ix on podi.revocation_any (revoked_at);


alter table podi.revocation enable row level security;
alter table podi.revocation force row level security;
create policy tenant_wall on podi.revocation to podi_core
       using (tenant_id = (select internal.tenant()))
       with check (tenant_id = (select internal.tenant()));
create policy system_pass on podi.revocation to podi_system
       using (true) with check (true);
