# shellcheck shell=bash
#
# common: the words that every part of the stack uses.
#
# Sourced by build.sh, which sets ROOT.  `say` and `die` write to stderr, so
# that stdout holds results only.

PODI_VAR=$(realpath -ms "${PODI_VAR:-$ROOT/var}")
PODI_BUILD=$(realpath -ms "${PODI_BUILD:-$ROOT/var/build}")


say() {
    printf '== %s\n' "$*" >&2
}


note() {
    printf '   %s\n' "$*" >&2
}


die() {
    printf 'build.sh: %s\n' "$*" >&2
    exit 1
}


is_root() {
    [ "$(id -u)" -eq 0 ]
}


# Runs a command as root: directly, or through sudo.
as_root() {
    if is_root; then
        "$@"
        return
    fi

    command -v sudo > /dev/null || return 126
    sudo -- "$@"
}


# as USER GROUP COMMAND...: as a service user when we are root, otherwise as
# whoever we are.  The working directory is the state's, which all may enter.
as() {
    local user=$1 group=$2

    shift 2

    if is_root; then
        (
            cd "$STATE" || exit
            HOME=$STATE exec setpriv --reuid "$user" --regid "$group" \
                --clear-groups "$@"
        )
    else
        (cd "$STATE" && exec "$@")
    fi
}


# own USER:GROUP MODE PATH...
own() {
    local who=$1 mode=$2

    shift 2

    if is_root; then
        chown "$who" "$@"
    fi
    chmod "$mode" "$@"
}


# wait_until SECONDS COMMAND...: polls until it succeeds; 1 at the deadline.
wait_until() {
    local end=$((SECONDS + $1))

    shift

    until "$@" > /dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}


# write_if_changed PATH: takes stdin; 0 when the file is new or different.
write_if_changed() {
    local tmp=$1.new

    cat > "$tmp"
    if [ -e "$1" ] && cmp -s "$tmp" "$1"; then
        rm -f "$tmp"
        return 1
    fi
    mv "$tmp" "$1"
}


# The pid in a file, when that process lives and is ours: its command line
# names our state directory.
pid_of() {
    local pid

    [ -r "$1" ] || return 1
    pid=$(head -n 1 "$1")
    [[ $pid =~ ^[0-9]+$ ]] || return 1
    tr '\0' ' ' 2> /dev/null < "/proc/$pid/cmdline" \
        | grep -qF -- "$STATE" || return 1
    echo "$pid"
}


# A pid and all that descend from it.
pid_tree() {
    local child

    echo "$1"
    # shellcheck disable=SC2013
    for child in $(cat "/proc/$1/task/"*/children 2> /dev/null); do
        pid_tree "$child"
    done
}


pids_gone() {
    local pid

    for pid in "$@"; do
        # a zombie waits for a parent that is not ours: it is gone
        if grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$pid/status"
        then
            return 1
        fi
    done
}


# stop_pid NAME FILE SIGNAL SECONDS: stops it with all its children.
stop_pid() {
    local name=$1 file=$2 signal=$3 seconds=$4 pid
    local -a tree

    pid=$(pid_of "$file") || return 0
    mapfile -t tree < <(pid_tree "$pid")

    kill "-$signal" "$pid"
    if ! wait_until "$seconds" pids_gone "${tree[@]}"; then
        note "$name did not stop in $seconds s: killed"
        kill -KILL "${tree[@]}" 2> /dev/null || true
        wait_until 10 pids_gone "${tree[@]}" || die "$name cannot be stopped"
    fi
    rm -f "$file"
}
