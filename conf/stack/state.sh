# shellcheck shell=bash
#
# state: where the stack lives, and which ports it has.
#
#     $PODI_VAR/stack.env   what `up` decided: PODI_STATE, the ports
#     $STATE/               bin conf keys lib log pg redis run store tls
#
# STATE is PODI_VAR, unless a service user cannot enter it, its path has
# signs that configuration files would need quoted, or a socket in it would
# pass 100 bytes: then it is a private folder under /var/tmp, and we say so.

# state_at DIR: from now on PODI_VAR is DIR.
state_at() {
    PODI_VAR=$1
    STATE=$PODI_VAR
    STATE_ENV=$PODI_VAR/stack.env
}

state_at "$PODI_VAR"


# Reads what an earlier `up` decided; fails when there is no stack.
state_load() {
    local kept_https=${PODI_HTTPS_PORT:-} kept_http=${PODI_HTTP_PORT:-}

    state_users
    [ -r "$STATE_ENV" ] || return 1
    # shellcheck source=/dev/null
    . "$STATE_ENV"
    STATE=$PODI_STATE
    PODI_HTTPS_PORT=${kept_https:-$PODI_HTTPS_PORT}
    PODI_HTTP_PORT=${kept_http:-$PODI_HTTP_PORT}
    [ -d "$STATE" ] && [ -O "$STATE" ] && [ ! -L "$STATE" ]
}


state_users() {
    if is_root; then
        PG_USER=postgres PG_GROUP=postgres
        REDIS_USER=redis
        WEB_USER=www-data WEB_GROUP=www-data
    else
        PG_USER=$(id -un) PG_GROUP=$(id -gn)
        REDIS_USER=$PG_USER
        WEB_USER=$PG_USER WEB_GROUP=$PG_GROUP
    fi
}


state_make() {
    mkdir -p "$PODI_VAR"

    if ! state_load; then
        state_at "$PODI_VAR"
        state_place
    fi

    : "${PODI_HTTPS_PORT:=8443}" "${PODI_HTTP_PORT:=8080}"
    state_save
    state_dirs
}


state_place() {
    local why

    why=$(state_refusal) || return 0
    STATE=$(mktemp -d /var/tmp/podi.XXXXXX)
    chmod 711 "$STATE"
    say "the stack's state is in $STATE, because $why"
}


# Prints why PODI_VAR will not do; fails when it will.
state_refusal() {
    local user

    if [[ ! $PODI_VAR =~ ^[A-Za-z0-9/._-]+$ ]]; then
        echo "$PODI_VAR has signs that configuration files cannot hold"
        return
    fi
    if [ "${#PODI_VAR}" -gt 76 ]; then
        echo "a socket under $PODI_VAR would have too long a path"
        return
    fi
    is_root || return 1
    for user in "$PG_USER" "$REDIS_USER" "$WEB_USER"; do
        setpriv --reuid "$user" --regid "$user" --clear-groups \
            test -x "$PODI_VAR" && continue
        echo "user $user cannot enter $PODI_VAR"
        return
    done
    return 1
}


state_save() {
    write_if_changed "$STATE_ENV" <<END || true
PODI_STATE=$STATE
PODI_HTTPS_PORT=$PODI_HTTPS_PORT
PODI_HTTP_PORT=$PODI_HTTP_PORT
END
}


state_dirs() {
    (
        cd "$STATE" || exit
        mkdir -p bin conf keys lib log pg redis run/pg run/redis run/podi \
            store tls tmp
        own "root:$WEB_GROUP" 750 keys
        own "$PG_USER:$PG_GROUP" 700 pg
        own "$REDIS_USER:$WEB_GROUP" 700 redis
        own "$PG_USER:$PG_GROUP" 755 run/pg
        own "$REDIS_USER:$WEB_GROUP" 750 run/redis
        own "$WEB_USER:$WEB_GROUP" 750 run/podi lib store tmp
        chmod 755 bin conf log run tls
    )
}
