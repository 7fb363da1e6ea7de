# shellcheck shell=bash
#
# nginx: the stock binary with conf/nginx.conf and its three includes.
#
# The files in conf/ are for a Debian host; stack_paths says the same for
# this stack.  A change is tested with nginx -t, then reloaded; a new module
# is loaded by a fresh start.

NGINX=${PODI_NGINX:-/usr/sbin/nginx}
NGINX_CONFS=(nginx.conf podi-load.conf podi-http.conf podi-server.conf)


# Rewrites the paths and ports of a Debian host (stdin) to this stack's, in
# one pass: what was written is not looked at again.
stack_paths() {
    local keep_user=0

    is_root && keep_user=1
    STACK_PATHS="/etc/podi/keys $STATE/keys
        /etc/podi/tls $STATE/tls
        /etc/podi $STATE/conf
        /run/postgresql $STATE/run/pg
        /run/redis/redis-server.sock $STATE/run/redis/redis.sock
        /run/podi $STATE/run/podi
        /run/nginx.pid $STATE/run/nginx.pid
        /usr/lib/nginx/modules/ngx_http_podi_module.so
            $STATE/bin/ngx_http_podi_module.so
        /usr/lib/podi $STATE/bin
        /var/lib/podi $STATE
        /var/log/nginx $STATE/log
        /var/log/podi $STATE/log
        127.0.0.1:8443 127.0.0.1:$PODI_HTTPS_PORT
        127.0.0.1:8080 127.0.0.1:$PODI_HTTP_PORT
        localhost:8443 localhost:$PODI_HTTPS_PORT
        \$host:8443 \$host:$PODI_HTTPS_PORT" \
    KEEP_USER=$keep_user perl -pe '
        BEGIN {
            %to = split " ", $ENV{STACK_PATHS};
            $from = join "|", map quotemeta, sort { length $b <=> length $a }
                keys %to;
        }
        $_ = "" if /^user / && !$ENV{KEEP_USER};
        s/($from)\b/$to{$1}/g;'
}


nginx_up() {
    local changed=0 fresh=0 file

    for file in "${NGINX_CONFS[@]}"; do
        stack_paths < "$ROOT/conf/$file" | sandbox_conf "$file" \
            | write_if_changed "$STATE/conf/$file" && changed=1
    done
    nginx_module && fresh=1

    nginx_run -t -q || die "nginx refuses its configuration"

    [ "$fresh" = 0 ] || nginx_down
    if pid_of "$STATE/run/nginx.pid" > /dev/null; then
        [ "$changed" = 0 ] || nginx_run -s reload
        return
    fi

    port_free "$PODI_HTTPS_PORT" PODI_HTTPS_PORT
    port_free "$PODI_HTTP_PORT" PODI_HTTP_PORT
    say "starting nginx"
    nginx_run || die "nginx does not start (see $STATE/log/error.log)"
}


# Copies the module; fails when the copy is there and the same.
nginx_module() {
    local so=ngx_http_podi_module.so

    cmp -s "$PODI_BUILD/$so" "$STATE/bin/$so" && return 1
    install -m 644 "$PODI_BUILD/$so" "$STATE/bin/.$so"
    mv "$STATE/bin/.$so" "$STATE/bin/$so"
}


nginx_run() {
    (
        cd "$STATE" || exit
        exec "$NGINX" -p "$STATE/" -e "$STATE/log/error.log" \
            -c "$STATE/conf/nginx.conf" "$@" < /dev/null
    )
}


# Names who has the port, as far as we may see it.
port_free() {
    local line who

    line=$(ss -Hltnp "sport = :$1" | grep -E '(127\.0\.0\.1|0\.0\.0\.0|\*|::)' \
        | head -n 1) || return 0
    who=$(sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1, pid \2/p' \
        <<< "$line")
    die "port $1 on 127.0.0.1 is taken by ${who:-a program of another user};" \
        "set $2"
}


nginx_down() {
    stop_pid nginx "$STATE/run/nginx.pid" TERM 20
}
