#!/bin/bash
#
# apply.sh: bring a database to this tree's migrations, functions and grants
#
#     apply.sh CONNINFO
#
#     NNNN_*.sql        each once, in order, each in its own transaction; its
#                       checksum is kept, and a file that changed is refused
#     context keys      from the file that PODI_CONTEXT_KEY_FILE names
#     chain keys        from the file that PODI_CHAIN_KEY_FILE names
#     sandbox           what PODI_SANDBOX says: 1 it is one, 0 it is none, and
#                       then actions that are mocks are disabled
#     internal api sys  every function again, then grants.sql: one transaction,
#                       so that callers see the old set or the new one; what no
#                       file makes any more is dropped
#
# Idempotent; two runs at once take turns (advisory lock).  Runs as superuser.
#
# A key file has one key a line, "ID HEX", the current one first.  Context keys
# that left the file are retired; chain keys stay, to verify what they made, and
# without one no point moves.  Only the derived HMAC blocks reach the database,
# as COPY data on psql's standard input: never in argv, never in SQL text.

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)

[[ $here != *\'* ]] || { echo "apply.sh: a quote in $here" >&2; exit 1; }


die()
{
    echo "apply.sh: $*" >&2
    exit 1
}


# hex of a key's HMAC block: the key, padded to 64 bytes, XOR the byte $2
block()
{
    local key=$1 pad=$2 out= i

    while [ ${#key} -lt 128 ]; do
        key+=00
    done

    for ((i = 0; i < 128; i += 2)); do
        out+=$(printf '%02x' $((16#${key:i:2} ^ pad)))
    done

    echo "$out"
}


# the key file $1 as a temporary table; false when there is none
key_table()
{
    local file=$1 id key rest n=0

    [ -n "$file" ] || return 1
    [ -r "$file" ] || die "cannot read the key file $file"

    echo 'create temp table key_file (key_id text, ipad bytea, opad bytea,'
    echo '    n int) on commit drop;'
    echo 'copy key_file from stdin;'

    while read -r id key rest; do
        [[ -z $id || $id == \#* ]] && continue
        [[ -z $rest && $id =~ ^[A-Za-z0-9_-]{1,32}$ ]] \
            || die "$file: a line is not \"ID HEX\""
        [[ $key =~ ^([0-9a-fA-F]{2}){32,64}$ ]] \
            || die "$file: key $id is not 32 to 64 bytes of hex"

        n=$((n + 1))
        printf '%s\t\\\\x%s\t\\\\x%s\t%d\n' "$id" "$(block "$key" 0x36)" \
            "$(block "$key" 0x5c)" "$n"
    done < "$file"

    echo '\.'
}


context_keys()
{
    key_table "${PODI_CONTEXT_KEY_FILE:-}" || return 0
    cat <<'SQL'
insert into podi.context_key as k (key_id, ipad, opad)
select f.key_id, f.ipad, f.opad from key_file f
    on conflict (key_id) do update
   set ipad = excluded.ipad, opad = excluded.opad, retired_at = null
 where (k.ipad, k.opad) <> (excluded.ipad, excluded.opad)
    or k.retired_at is not null;
update podi.context_key k set retired_at = now()
 where k.retired_at is null
   and not exists (select 1 from key_file f where f.key_id = k.key_id);
drop table key_file;
SQL
}


# keys of the chain are added and never changed: old rows stand on them
chain_keys()
{
    key_table "${PODI_CHAIN_KEY_FILE:-}" || return 0
    cat <<'SQL'
do $$
begin
    if exists (select 1 from key_file f join podi.chain_key k using (key_id)
                where (k.ipad, k.opad) <> (f.ipad, f.opad)) then
        raise exception 'a chain key was given before with other bytes';
    end if;
end
$$;
insert into podi.chain_key (key_id, ipad, opad, newest)
select f.key_id, f.ipad, f.opad, false from key_file f
    on conflict do nothing;
update podi.chain_key k set newest = false
 where k.newest and k.key_id <> (select f.key_id from key_file f where f.n = 1);
update podi.chain_key k set newest = true
 where not k.newest and k.key_id = (select f.key_id from key_file f where f.n = 1);
drop table key_file;
SQL
}


# mocks answer without doing anything: only a superuser lets them
sandbox()
{
    case ${PODI_SANDBOX:-} in
    '') return ;;
    0 | 1) ;;
    *) die 'PODI_SANDBOX is neither 0 nor 1' ;;
    esac

    cat <<SQL
update podi.setting s set value = to_jsonb($PODI_SANDBOX = 1)
 where s.setting = 'sandbox' and s.value <> to_jsonb($PODI_SANDBOX = 1);
update podi.action a set state = 'disabled'
 where $PODI_SANDBOX = 0 and a.executor ->> 'kind' = 'mock'
       and a.state <> 'disabled';
SQL
}


# one numbered file: run it when it is new, refuse it when it changed
structure()
{
    local file=$1 name sum

    name=$(basename "$file" .sql)
    sum=$(sha256sum < "$file" | cut -d' ' -f1)

    cat <<SQL
select count(*) = 0 as is_new,
       count(*) filter (where m.checksum <> '$sum') > 0 as is_changed
  from podi.schema_migration m where m.migration = '$name' \gset
\if :is_changed
do \$\$ begin
    raise exception 'migration $name was applied with another content';
end \$\$;
\endif
\if :is_new
begin;
\i '$file'
insert into podi.schema_migration (migration, checksum) values ('$name', '$sum');
commit;
\endif
SQL
}


script()
{
    local file

    cat <<'SQL'
\set ON_ERROR_STOP on
set client_min_messages = warning;
\o /dev/null
select pg_advisory_lock(7019266, 1);
\o
create schema if not exists podi;
create table if not exists podi.schema_migration (
    migration   text         primary key,
    checksum    text         not null,
    applied_at  timestamptz  not null default now()
);
SQL

    for file in "$here"/[0-9][0-9][0-9][0-9]_*.sql; do
        structure "$file"
    done

    # bodies name functions that come later, so they are checked at the end
    echo 'begin;'
    echo "set local lock_timeout = '5s';"
    echo 'set local check_function_bodies = off;'
    context_keys
    chain_keys
    sandbox

    for file in "$here"/{internal,api,sys}/*.sql; do
        [ -e "$file" ] && echo "\\i '$file'"
    done

    cat <<'SQL'
do $$
declare
    v_sql  text;
begin
    for v_sql in
        select format('drop function %s', p.oid::regprocedure)
          from pg_proc p
         where p.pronamespace in ('api'::regnamespace, 'sys'::regnamespace,
                                  'internal'::regnamespace)
           and p.xmin <> pg_current_xact_id()::xid
    loop
        execute v_sql;
    end loop;
end
$$;
SQL
    echo "\\i '$here/grants.sql'"

    cat <<'SQL'
set local check_function_bodies = on;
set local search_path = podi, pg_temp;
do $$
declare
    v_oid   oid;
    v_lang  text;
begin
    for v_oid, v_lang in
        select p.oid, l.lanname
          from pg_proc p join pg_language l on l.oid = p.prolang
         where p.pronamespace in ('api'::regnamespace, 'sys'::regnamespace,
                                  'internal'::regnamespace)
    loop
        if v_lang = 'sql' then
            perform fmgr_sql_validator(v_oid);
        else
            perform plpgsql_validator(v_oid);
        end if;
    end loop;
end
$$;
commit;
SQL
}


[ $# -eq 1 ] || die 'usage: apply.sh CONNINFO'

# built whole before psql starts: a fault in the key file applies nothing
text=$(script)

printf '%s\n' "$text" | psql -X -q -d "$1" -f -
