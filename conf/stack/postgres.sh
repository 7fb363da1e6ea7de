# shellcheck shell=bash disable=SC2153
#
# postgres: the private cluster, on a UNIX socket only.
#
# Durable (fsync, synchronous_commit), checksummed, SCRAM for everybody.
# Passwords reach the server through psql's standard input, with statement
# logging off for that session; they are never in argv or in a log.

PG_BIN=/usr/lib/postgresql/15/bin


postgres_env() {
    export PGHOST=$STATE/run/pg PGPORT=5432 PGDATABASE=podi PGUSER=postgres
    export PGPASSFILE=$STATE/keys/pgpass
    unset PGPASSWORD PGSERVICE PGOPTIONS PGHOSTADDR
}


postgres_up() {
    postgres_env
    postgres_init
    postgres_start
    postgres_roles
    postgres_migrate
}


postgres_init() {
    local pw=$STATE/run/pg/.super

    [ -f "$STATE/pg/PG_VERSION" ] && return

    say "creating a PostgreSQL cluster"
    install -m 600 /dev/null "$pw"
    cat "$STATE/keys/pg_super" > "$pw"
    own "$PG_USER:$PG_GROUP" 600 "$pw"
    as "$PG_USER" "$PG_GROUP" "$PG_BIN/initdb" -D "$STATE/pg" -U postgres \
        -E UTF8 --locale=C.UTF-8 -k -A scram-sha-256 --pwfile="$pw" \
        > "$STATE/log/initdb.log" 2>&1 \
        || { rm -f "$pw"; cat "$STATE/log/initdb.log" >&2
             die "initdb failed"; }
    rm -f "$pw"
    postgres_conf >> "$STATE/pg/postgresql.conf"
}


postgres_conf() {
    cat <<END

# the private stack of PODI
listen_addresses = ''
unix_socket_directories = '$STATE/run/pg'
fsync = on
synchronous_commit = on
full_page_writes = on
max_connections = 100
shared_buffers = 128MB
max_wal_size = 512MB
log_line_prefix = '%m [%p] %q%u@%d '
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
END
}


postgres_start() {
    local log=$STATE/log/postgres.log

    as "$PG_USER" "$PG_GROUP" "$PG_BIN/pg_ctl" -D "$STATE/pg" status \
        > /dev/null 2>&1 && return

    say "starting PostgreSQL"
    touch "$log"
    own "$PG_USER:$PG_GROUP" 640 "$log"
    as "$PG_USER" "$PG_GROUP" "$PG_BIN/pg_ctl" -D "$STATE/pg" -l "$log" \
        -w -t 60 -s start < /dev/null > /dev/null \
        || { tail -n 20 "$log" >&2; die "PostgreSQL does not start"; }
}


# Runs the SQL on stdin as the superuser; secrets may be in it.
postgres_sql() {
    {
        echo "set log_statement = 'none';"
        echo "set log_min_error_statement = 'panic';"
        echo "set log_min_duration_statement = -1;"
        cat
    } | psql -XqAt -v ON_ERROR_STOP=1 "$@"
}


postgres_roles() {
    postgres_passfile

    [ -n "$(postgres_sql -d postgres \
        <<< "select 1 from pg_database where datname = 'podi'")" ] \
        || psql -XqAt -d postgres -c 'create database podi'
}


postgres_passfile() {
    local role

    {
        printf '*:*:*:postgres:%s\n' "$(cat "$STATE/keys/pg_super")"
        for role in web worker ctl; do
            printf '*:*:*:podi_%s:%s\n' "$role" \
                "$(cat "$STATE/keys/pg_$role")"
        done
    } | (umask 077 && write_if_changed "$STATE/keys/pgpass") || true
}


postgres_migrate() {
    local role log=$STATE/log/migrate.log

    PODI_CONTEXT_KEY_FILE=$STATE/keys/context.key \
    PODI_CHAIN_KEY_FILE=$STATE/keys/chain.key \
        "$ROOT/migrations/apply.sh" "dbname=podi" > "$log" 2>&1 \
        || { tail -n 30 "$log" >&2; die "the migrations failed (see $log)"; }

    for role in web worker ctl; do
        printf "alter role podi_%s password '%s';\n" "$role" \
            "$(cat "$STATE/keys/pg_$role")"
    done | postgres_sql
}


postgres_down() {
    [ -f "$STATE/pg/postmaster.pid" ] || return 0
    stop_pid PostgreSQL "$STATE/pg/postmaster.pid" INT 60
}
