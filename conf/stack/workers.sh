# shellcheck shell=bash
#
# workers: PODI's daemons and podictl.
#
#     build/bin/*  -- copied -->  $STATE/bin/*     what the daemons run from
#     conf/workers.conf -- paths rewritten -->  $STATE/conf/workers.conf
#
# The copy lets a service user run them from a checkout that it cannot enter,
# and keeps a build from pulling the file from under a running daemon.

DAEMONS=(podi_dispatchd podi_janitord podi_imaged podi_runnerd)


# A daemon is started anew when its program or the settings changed.
workers_up() {
    local daemon fresh

    for daemon in "${DAEMONS[@]}"; do
        fresh=$WORKERS_CHANGED
        workers_copy "$daemon" && fresh=1
        [ "$fresh" = 0 ] || workers_stop "$daemon"
        pid_of "$STATE/run/$daemon.pid" > /dev/null \
            || workers_start "$daemon"
    done
}


# Fails when the copy is there and the same.
workers_copy() {
    cmp -s "$PODI_BUILD/bin/$1" "$STATE/bin/$1" && return 1
    install -m 755 "$PODI_BUILD/bin/$1" "$STATE/bin/.$1"
    mv "$STATE/bin/.$1" "$STATE/bin/$1"
}


# What conf/workers.conf says for a Debian host, said for this stack.
workers_conf() {
    WORKERS_CHANGED=0
    stack_paths < "$ROOT/conf/workers.conf" \
        | write_if_changed "$STATE/conf/workers.conf" && WORKERS_CHANGED=1
    own "root:$WEB_GROUP" 640 "$STATE/conf/workers.conf"

    mkdir -p "$STATE/conf/providers"
    cp "$ROOT"/conf/providers/*.json "$STATE/conf/providers/"
    chmod 755 "$STATE/conf/providers"
    chmod 644 "$STATE"/conf/providers/*.json
}


workers_start() {
    local daemon=$1 log=$STATE/log/$1.log
    local -a who=()

    say "starting $daemon"
    is_root && who=(setpriv --reuid "$WEB_USER" --regid "$WEB_GROUP"
                    --clear-groups)
    touch "$log"
    own "$WEB_USER:$WEB_GROUP" 640 "$log"

    (
        cd "$STATE" || exit
        exec "${who[@]}" env HOME="$STATE" setsid \
            "$STATE/bin/$daemon" -c "$STATE/conf/workers.conf"
    ) < /dev/null >> "$log" 2>&1 &
    echo $! > "$STATE/run/$daemon.pid"
}


# The drain is the daemon's: jobs in hand are finished or given back.
workers_stop() {
    stop_pid "$1" "$STATE/run/$1.pid" TERM 45
}


workers_down() {
    local daemon

    for daemon in "${DAEMONS[@]}"; do
        workers_stop "$daemon"
    done
}


podictl() {
    "$STATE/bin/podictl" -c "$STATE/conf/workers.conf" "$@"
}
