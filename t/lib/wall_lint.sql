-- wall_lint: every hole in the tenant wall that the catalogue can show
--
-- One row a defect: (defect, what).  Run as superuser.  t/20-sql/wall.t plants
-- each defect once and wants it seen.
--
-- Reviewed: tables without a tenant are action, plan, queue_type, gate,
-- price_rule, channel, limit_rate, revocation_any, worker, setting,
-- operator_audit, provider_key, comfy_server, comfy_seen, comfy_workflow,
-- context_key, chain_key and schema_migration; tenant_slug_uq alone may be unique across tenants; the keeper
-- may read tenants.

with login (oid, rolname) as (
    select r.oid, r.rolname from pg_roles r
     where r.rolname in ('podi_web', 'podi_worker', 'podi_ctl')),
inner_role (oid, rolname) as (
    select r.oid, r.rolname from pg_roles r
     where r.rolname in ('podi_owner', 'podi_core', 'podi_system', 'podi_keeper')),
rel as (
    select c.oid, c.relname, c.relkind, c.relowner, c.relrowsecurity,
           c.relforcerowsecurity, c.reloptions
      from pg_class c
     where c.relnamespace = 'podi'::regnamespace
       and c.relkind in ('r', 'p', 'v', 'm', 'S', 'c')),
tab as (select r.* from rel r where r.relkind in ('r', 'p')),
ten as (
    select t.*, a.attnum, a.attnotnull
      from tab t
      join pg_attribute a on a.attrelid = t.oid and a.attname = 'tenant_id'
                         and not a.attisdropped),
pol as (
    select t.relname, p.polname, p.polpermissive, p.polcmd, p.polroles,
           coalesce(pg_get_expr(p.polqual, p.polrelid), '') as qual,
           coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') as chk
      from tab t join pg_policy p on p.polrelid = t.oid),
fn as (
    select p.oid, p.oid::regprocedure::text as sign, n.nspname, p.proname,
           p.proowner::regrole::text as owner, p.prosecdef, p.proconfig,
           p.prosrc, p.proacl
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname in ('podi', 'api', 'sys', 'internal'))

-- tables
select 'no tenant_id' as defect, t.relname::text as what from tab t
 where t.oid not in (select ten.oid from ten)
   and t.relname not in ('action', 'plan', 'queue_type', 'gate', 'price_rule',
                         'channel', 'limit_rate', 'revocation_any', 'worker',
                         'setting', 'operator_audit', 'provider_key',
                         'comfy_server', 'comfy_seen', 'comfy_workflow',
                         'context_key', 'chain_key', 'schema_migration')
union all
select 'tenant_id nullable', t.relname from ten t where not t.attnotnull
union all
select 'row security off or not forced', t.relname from ten t
 where not (t.relrowsecurity and t.relforcerowsecurity)
union all
select 'no tenant wall', t.relname from ten t
 where not exists (
       select 1 from pol p
        where p.relname = t.relname and p.polpermissive and p.polcmd = '*'
          and p.polroles = array['podi_core'::regrole::oid]
          and p.qual = '(tenant_id = ( SELECT internal.tenant() AS tenant))'
          and p.chk = p.qual)
union all
select 'policy widens the wall', p.relname || ' ' || p.polname from pol p
 where p.polpermissive and p.polname <> 'tenant_wall'
   and p.polroles <> array['podi_system'::regrole::oid]
   and not (p.relname = 'tenant' and p.polcmd = 'r'
            and p.polroles = array['podi_keeper'::regrole::oid])
union all
select 'wrong owner', r.relname from rel r
 where r.relowner <> 'podi_owner'::regrole
union all
select 'unique without tenant_id', i.indexrelid::regclass::text
  from ten t join pg_index i on i.indrelid = t.oid
 where i.indisunique and not (t.attnum = any (i.indkey::int2[]))
   and i.indexrelid::regclass::text <> 'podi.tenant_slug_uq'
union all
select 'foreign key without tenant_id', t.relname || ' ' || k.conname
  from ten t
  join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
  join ten f on f.oid = k.confrelid
 where not exists (
       select 1 from unnest(k.conkey, k.confkey) as c (here, there)
        where c.here = t.attnum and c.there = f.attnum)
union all
select 'append only is not guarded', n.name from (values ('ledger'), ('audit'),
       ('price_rule'), ('operator_audit')) n (name)
 where (select count(*) from pg_trigger g
         where g.tgrelid = ('podi.' || n.name)::regclass
           and g.tgfoid = 'internal.append_only()'::regprocedure
           and g.tgenabled in ('O', 'A')) <> 2
    or has_any_column_privilege('podi_core', 'podi.' || n.name, 'update')
    or has_any_column_privilege('podi_system', 'podi.' || n.name, 'update')
union all
select 'facts may be deleted', i.rolname || ' ' || t.relname
  from inner_role i, tab t
 where i.rolname <> 'podi_owner' and has_table_privilege(i.oid, t.oid, 'delete')
   and t.relname not in ('event_ticket', 'idempotency', 'session', 'user_event',
                         'worker', 'gate', 'quota', 'quota_use', 'quota_hold',
                         'limit_rate', 'object_intent', 'revocation',
                         'revocation_any', 'comfy_server')
union all
select 'keys readable', r.rolname || ' ' || k.name
  from (select * from login union all select * from inner_role) r,
       (values ('context_key'), ('chain_key')) k (name)
 where r.rolname not in ('podi_keeper', 'podi_owner')
   and has_any_column_privilege(r.oid, 'podi.' || k.name, 'select, insert, update')
union all
select 'keys readable', r.rolname || ' provider_key'
  from (select * from login union all select * from inner_role) r
 where r.rolname not in ('podi_system', 'podi_owner')
   and has_any_column_privilege(r.oid, 'podi.provider_key', 'select, insert, update')
union all
select 'what the database is may be changed', r.rolname || ' setting'
  from (select * from login union all select * from inner_role) r
 where r.rolname <> 'podi_owner'
   and has_any_column_privilege(r.oid, 'podi.setting', 'insert, update')

-- views
union all
select 'view not security_invoker', r.relname from rel r
 where r.relkind = 'v'
   and not coalesce(r.reloptions @> '{security_invoker=true}', false)
union all
select 'materialized view', r.relname from rel r where r.relkind = 'm'

-- roles
union all
select 'role too strong', r.rolname from pg_roles r
 where r.rolname like 'podi\_%'
   and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb
        or r.rolreplication)
union all
select 'inner role may log in', r.rolname from pg_roles r
 where r.oid in (select i.oid from inner_role i) and r.rolcanlogin
union all
select 'may become another role', l.rolname || ' ' || r.rolname
  from (select * from login union all select * from inner_role) l, pg_roles r
 where r.oid <> l.oid and pg_has_role(l.oid, r.oid, 'member')
union all
select 'table privilege of a login role', l.rolname || ' ' || t.relname
  from login l, rel t
 where t.relkind not in ('S', 'c')
   and (has_table_privilege(l.oid, t.oid,
        'select, insert, update, delete, truncate, references, trigger')
        or has_any_column_privilege(l.oid, t.oid,
           'select, insert, update, references'))
union all
select 'truncate, references or trigger granted', i.rolname || ' ' || t.relname
  from inner_role i, tab t
 where i.rolname <> 'podi_owner'
   and has_table_privilege(i.oid, t.oid, 'truncate, references, trigger')
union all
select 'schema open to a login role', l.rolname || ' ' || n.nspname
  from login l, pg_namespace n
 where n.nspname in ('podi', 'api', 'sys', 'internal', 'public')
   and (has_schema_privilege(l.oid, n.oid, 'create')
        or (n.nspname in ('podi', 'internal', 'public')
            and has_schema_privilege(l.oid, n.oid, 'usage'))
        or (n.nspname = 'sys' and l.rolname = 'podi_web'
            and has_schema_privilege(l.oid, n.oid, 'usage')))
union all
select 'login role may make temporary tables', l.rolname from login l
 where has_database_privilege(l.oid, current_database(), 'temporary, create')

-- functions
union all
select 'function in schema podi', f.sign from fn f where f.nspname = 'podi'
union all
select 'function of the wrong owner', f.sign from fn f
 where f.owner <> case when f.nspname = 'internal'
                            and f.proname in ('context_verify', 'chain_mac', 'quote_mac')
                                         then 'podi_keeper'
                       when f.nspname = 'sys' then 'podi_system'
                       else 'podi_core' end
union all
select 'definer without its search_path', f.sign from fn f
 where f.prosecdef
   and not coalesce('search_path=podi, pg_temp' = any (f.proconfig), false)
union all
select 'entry that is not a definer', f.sign from fn f
 where f.nspname in ('api', 'sys') and not f.prosecdef
   and f.sign <> 'api.context_open(text)'
union all
select 'helper that is a definer', f.sign from fn f
 where f.nspname = 'internal' and f.prosecdef
   and f.proname not in ('context_verify', 'chain_mac', 'quote_mac')
union all
select 'api function that does not enter first', f.sign from fn f
 where f.nspname = 'api' and f.proname not in ('context_open', 'ready')
   and f.prosrc !~ '\mbegin\s+perform internal\.enter\('
union all
select 'sys function that enters', f.sign from fn f
 where f.nspname = 'sys' and f.prosrc ~ 'internal\.(enter|tenant|user_id)\('
union all
select 'dynamic SQL', f.sign from fn f
 where f.prosrc ~* '\mexecute\M'
union all
select 'executable by everybody', f.sign from fn f
 where f.proacl is null
    or exists (select 1 from aclexplode(f.proacl) a where a.grantee = 0)
union all
select 'executable by the wrong login role', l.rolname || ' ' || f.sign
  from login l, fn f
 where has_function_privilege(l.oid, f.oid, 'execute')
   and not (f.nspname = 'api' and l.rolname = 'podi_web')
   and not (f.nspname = 'sys' and l.rolname <> 'podi_web')
   and f.sign <> 'api.context_open(text)'
union all
select 'sys function that nobody may call', f.sign from fn f
 where f.nspname = 'sys'
   and not exists (select 1 from login l
                    where has_function_privilege(l.oid, f.oid, 'execute'))
order by 1, 2
