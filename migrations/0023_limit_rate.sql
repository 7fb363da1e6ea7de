-- 0023 limit_rate: what is put over the rates of nginx.conf
--
-- Why:      a plan or a user gets another rate without a reload
-- Expand:   yes (running code does not know the table)
-- Locks:    none
--
--      nginx.conf: podi_limit_zone member ... rate=5r/s burst=20
--                          ^
--      podi.limit_rate --over it, each half second--> every nginx worker
--
-- Plans and limits belong to the operator, as channels and prices do.  A user
-- is who his issuer and his tenant say he is: two of them may have an "alice".

set local lock_timeout = '5s';

create table podi.limit_rate (
    zone        text         not null,
    kind        text         not null,
    issuer      text         not null,
    tenant      text         not null,
    subject     text         not null,
    terms       text         not null,
    changed_at  timestamptz  not null default now(),

    constraint limit_rate_pkey        primary key (zone, kind, issuer, tenant, subject),
    constraint limit_rate_zone_ck     check (zone ~ '^[a-z0-9][a-z0-9_-]{0,31}$'),
    constraint limit_rate_kind_ck     check (kind in ('plan', 'user')),
    constraint limit_rate_issuer_ck   check (issuer ~ case kind when 'plan' then '^$' else '^[A-Za-z0-9_-]{1,32}$' end),
    constraint limit_rate_tenant_ck   check (tenant ~ case kind when 'plan' then '^$' else '^[!-~]{0,128}$' end),
    constraint limit_rate_subject_ck  check (subject ~ '^[!-~]{1,128}$'),
    constraint limit_rate_terms_ck    check (terms ~ '^(rate=[1-9][0-9]{0,14}r/[smhd]( burst=[1-9][0-9]{0,14})?|quota=[1-9][0-9]{0,14}/(hour|day|month)|conn=[1-9][0-9]{0,14})$')
);
comment on table podi.limit_rate is 'What is put over the rates of nginx.conf, for a plan or a user; read with podi_limit_rates on; shared by all tenants';
comment on column podi.limit_rate.zone is 'the name of a podi_limit_zone';
comment on column podi.limit_rate.issuer is 'as podi_issuer names it; podi: ours; empty: of a plan';
comment on column podi.limit_rate.tenant is 'as the user''s token names it, of ours its UUID; empty: it names none, or of a plan';
comment on column podi.limit_rate.subject is 'the plan''s name, or the user as his token names him (sub), of ours his UUID';
comment on column podi.limit_rate.terms is 'as podi_limit_plan takes them: rate=50r/s burst=200';
