# shellcheck shell=bash
#
# redis: the private Redis, on a UNIX socket only.
#
# It holds hints, never truth: an append-only file is kind to a restart, and
# noeviction makes a full Redis say so instead of forgetting a gate.

redis_up() {
    local changed=0

    redis_conf | write_if_changed "$STATE/redis/redis.conf" && changed=1
    own "$REDIS_USER:$WEB_GROUP" 600 "$STATE/redis/redis.conf"

    if pid_of "$STATE/run/redis/redis.pid" > /dev/null; then
        [ "$changed" = 0 ] && return
        redis_down
    fi

    say "starting Redis"
    as "$REDIS_USER" "$WEB_GROUP" redis-server "$STATE/redis/redis.conf" \
        > /dev/null < /dev/null || die "Redis does not start"
    wait_until 20 redis_alive \
        || { tail -n 20 "$STATE/redis/redis.log" >&2
             die "Redis does not answer"; }
}


redis_conf() {
    cat <<END
port 0
unixsocket $STATE/run/redis/redis.sock
unixsocketperm 770
requirepass $(cat "$STATE/keys/redis")
daemonize yes
pidfile $STATE/run/redis/redis.pid
logfile $STATE/redis/redis.log
dir $STATE/redis
save ""
appendonly yes
appendfsync everysec
maxmemory 256mb
maxmemory-policy noeviction
databases 4
END
}


redis_alive() {
    REDISCLI_AUTH=$(cat "$STATE/keys/redis") timeout 2 redis-cli \
        -s "$STATE/run/redis/redis.sock" ping | grep -q PONG
}


redis_down() {
    stop_pid Redis "$STATE/run/redis/redis.pid" TERM 30
}
