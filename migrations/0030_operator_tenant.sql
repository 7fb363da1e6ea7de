-- 0030 operator tenant: who may run the installation over HTTPS
--
-- Why:      servers, workflows and keys belong to no tenant, so the admin of
--           a tenant is nobody there; the people of the operator have a
--           tenant of their own, and its admins may
-- Expand:   yes (columns that are NULL or have a constant default)
-- Locks:    podi.tenant and podi.operator_audit, for a moment

set local lock_timeout = '5s';

alter table podi.tenant add column operator boolean not null default false;
comment on column podi.tenant.operator is 'its admins run the installation: /v1/admin';

alter table podi.operator_audit
    add column by_tenant  uuid,
    add column by_user    uuid;
comment on column podi.operator_audit.by_user is 'who did it over HTTPS; NULL: who ran podictl';
