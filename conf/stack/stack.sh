# shellcheck shell=bash
#
# stack: the verbs up, down, status, env.
#
#     PostgreSQL -> migrations -> Redis -> tenant -> nginx -> daemons -> ready
#
# `up` twice changes nothing the second time; it restarts what was built anew.

verb_up() {
    packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_BUILD[@]}"
    compile
    stack_start
    sandbox_up
    say "up: https://localhost:$PODI_HTTPS_PORT (CA: $STATE/tls/ca.crt)"
}


stack_start() {
    state_make
    workers_copy podictl || true
    keys_up
    tls_up
    postgres_up
    redis_up
    workers_conf
    stack_tenant
    nginx_up
    workers_up
    stack_ready
}


# The tenant that podi-http.conf serves.
stack_tenant() {
    podictl tenant create demo "Demo" > "$STATE/log/tenant.log" 2>&1 \
        || { cat "$STATE/log/tenant.log" >&2
             die "the tenant demo could not be made"; }
}


stack_curl() {
    curl -sS --cacert "$STATE/tls/ca.crt" --max-time 5 "$@"
}


stack_ready() {
    local url=https://localhost:$PODI_HTTPS_PORT/readyz

    wait_until 30 stack_curl -f "$url" && return
    stack_curl "$url" >&2 || true
    die "the stack is not ready (see $STATE/log)"
}


verb_down() {
    state_load || { say "no stack is up"; return; }

    say "stopping"
    nginx_down
    workers_down
    redis_down
    postgres_down
    say "down"
}


verb_status() {
    local daemon down=0

    state_load || { echo "no stack"; return 1; }

    status_line PostgreSQL "$STATE/pg/postmaster.pid" \
        "$STATE/run/pg" || down=1
    status_line Redis "$STATE/run/redis/redis.pid" \
        "$STATE/run/redis/redis.sock" || down=1
    status_line nginx "$STATE/run/nginx.pid" \
        "https://localhost:$PODI_HTTPS_PORT" || down=1
    for daemon in "${DAEMONS[@]}"; do
        status_line "$daemon" "$STATE/run/$daemon.pid" \
            "$STATE/log/$daemon.log" || down=1
    done
    return "$down"
}


status_line() {
    local pid

    if pid=$(pid_of "$2"); then
        printf '%-16s up    pid %-8s %s\n' "$1" "$pid" "$3"
        return
    fi
    printf '%-16s down\n' "$1"
    return 1
}


verb_env() {
    state_load || die "no stack: ./build.sh up makes one"

    while read -r name value; do
        printf 'export %s=%q\n' "$name" "$value"
    done <<END
PODI_ROOT $ROOT
PODI_VAR $PODI_VAR
PODI_BUILD $PODI_BUILD
PODI_STATE $STATE
PODI_HTTPS_PORT $PODI_HTTPS_PORT
PODI_HTTP_PORT $PODI_HTTP_PORT
PODI_URL https://localhost:$PODI_HTTPS_PORT
PODI_CA $STATE/tls/ca.crt
PODI_CONF $STATE/conf
PODI_KEYS $STATE/keys
PODI_CTL_CONF $STATE/conf/workers.conf
PODI_PG host=$STATE/run/pg port=5432 dbname=podi
PODI_REDIS $STATE/run/redis/redis.sock
PODI_REDIS_PASSWORD_FILE $STATE/keys/redis
PODI_TENANT demo
PGHOST $STATE/run/pg
PGPORT 5432
PGDATABASE podi
PGUSER postgres
PGPASSFILE $STATE/keys/pgpass
REDISCLI_AUTH $(cat "$STATE/keys/redis")
TEST_NGINX_BINARY $NGINX
TEST_NGINX_LOAD_MODULES $STATE/bin/ngx_http_podi_module.so
TEST_NGINX_SERVROOT $STATE/run/servroot
PATH $STATE/bin:$PATH
END
}
