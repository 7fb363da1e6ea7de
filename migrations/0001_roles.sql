-- 0001 roles: who may do what, and the four schemas
--
-- Why:      the tenant wall stands on ownership: tables belong to podi_owner,
--           functions to podi_core and podi_system, and what logs in owns
--           nothing and may only call functions
-- Expand:   yes (nothing is there yet)
-- Locks:    none
--
--   podi_web ------> api.*  (podi_core)   --policies: own tenant--> podi.*
--   podi_worker ---> sys.*  (podi_system) --policies: all--------->   ^
--   podi_ctl ------> sys.*                                            |
--   api.* -> internal.context_verify (podi_keeper): keys, slugs ------'
--
-- Roles belong to the cluster, not to the database: they may be there already,
-- and another database's run may be making them right now.  Passwords are set
-- by whoever runs the cluster, never here.

set local lock_timeout = '5s';

do $$
declare
    v_role  text;
begin
    foreach v_role in array array['podi_owner', 'podi_core', 'podi_system',
                                  'podi_keeper', 'podi_web', 'podi_worker',
                                  'podi_ctl'] loop
        begin
            if not exists (select 1 from pg_catalog.pg_roles r
                            where r.rolname = v_role) then
                execute format('create role %I %s noinherit nosuperuser'
                               ' nocreatedb nocreaterole nobypassrls',
                               v_role,
                               case when v_role in ('podi_web', 'podi_worker',
                                                    'podi_ctl')
                                    then 'login' else 'nologin' end);
                -- a plan that may not scan looks dear enough to be compiled, or
                -- to have parallel workers, at each call; of the cluster, so
                -- that copies of a database, which leave settings of their own
                -- behind, have it too
                execute format('alter role %I set jit = off', v_role);
                execute format('alter role %I set'
                               ' max_parallel_workers_per_gather = 0', v_role);
            end if;
        exception
            when duplicate_object or unique_violation then
                null;                   -- the other run was faster
        end;
    end loop;
end
$$;

create schema if not exists podi;
create schema api;
create schema sys;
create schema internal;

comment on schema podi is 'Every fact; private: no login role has a table grant';
comment on schema api is 'The domain core: what nginx may call, inside one tenant';
comment on schema sys is 'Across tenants: a short reviewed list for workers and operators';
comment on schema internal is 'Helpers of api and sys; nobody else may call them';

revoke all on schema public from public;

-- a function that somebody adds is nobody's until grants.sql says otherwise
alter default privileges revoke execute on functions from public;
alter default privileges for role podi_owner, podi_core, podi_system, podi_keeper
    revoke execute on functions from public;

-- policies and triggers name these four, so they come before the first table
\ir internal/tenant.sql
\ir internal/user_id.sql
\ir internal/role.sql
\ir internal/append_only.sql
