# shellcheck shell=bash disable=SC2034
#
# packages: what PODI needs from Debian, and how it is installed.
#
#     missing? -> guard up -> apt-get -> guard down
#
# Installing starts no service and creates no database cluster.  The guard (a
# policy-rc.d that refuses, create_main_cluster = false) is taken away again,
# and what stood there before is put back, also when the installation fails.

PACKAGES_RUN=(
    ca-certificates curl iproute2 openssl perl procps
    nginx postgresql-15 redis-server
)
PACKAGES_BUILD=(
    gcc libc6-dev make pkg-config
    libargon2-dev libcurl4-openssl-dev libhiredis-dev libjansson-dev
    libpq-dev libssl-dev libuv1-dev libvips-dev nginx-dev
)
PACKAGES_DEMO=(libvips-tools)
PACKAGES_TEST=(
    libimage-exiftool-perl libjson-validator-perl libyaml-libyaml-perl
    libdbd-pg-perl libio-socket-ssl-perl libjwt-dev libvips-tools
)
PACKAGES_BROWSER=(chromium chromium-driver)
PACKAGES_BENCH=(util-linux valgrind wrk)
PACKAGES_PEERS=(nodejs npm)
PACKAGES_QUEUES=(python3-celery python3-redis python3-rq)
PACKAGES_POOLS=(python3-celery python3-gevent python3-redis python3-requests)
PACKAGES_ASAN=(libpcre2-dev patch xz-utils zlib1g-dev)

POLICY=/usr/sbin/policy-rc.d
CLUSTER_CONF=/etc/postgresql-common/createcluster.conf
GUARD_MARK='made by PODI build.sh, only while packages are installed'


# packages_need NAME...: installs those that are missing.
packages_need() {
    local -a missing

    mapfile -t missing < <(packages_missing "$@")
    [ "${#missing[@]}" -eq 0 ] && return

    say "installing ${#missing[@]} packages: ${missing[*]}"
    command -v apt-get > /dev/null \
        || die "apt-get not found; install these: ${missing[*]}"
    as_root true || die "install these as root: apt-get install ${missing[*]}"

    (
        trap guard_down EXIT
        trap 'exit 130' INT TERM
        guard_up
        packages_install "${missing[@]}"
    ) || die "packages could not be installed"
}


packages_missing() {
    local -A have=()
    local name state

    while read -r name state; do
        [ "$state" = installed ] && have[$name]=1
    done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" \
        2> /dev/null || true)

    for name in "$@"; do
        [ -n "${have[$name]:-}" ] || echo "$name"
    done
}


packages_install() {
    # postgresql-common first: it brings the file that the guard edits
    if [[ " $* " == *" postgresql-15 "* ]]; then
        apt_install postgresql-common || return
        guard_cluster_up || return
    fi
    apt_install "$@"
}


# packages_apart NAME DIR: its files in DIR, unpacked there and not installed,
# for what Debian would put into the machine's own nginx as well.
packages_apart() {
    local name=$1 dir=$2

    [ ! -d "$dir" ] || return 0
    rm -rf "$dir.new"
    mkdir -p "$dir.new"
    (
        cd "$dir.new" || exit
        apt-get -q download "$name" > /dev/null 2>&1 || {
            note "fetching the package lists"
            as_root apt-get -q update 2>&1 | tail -n 2 >&2
            apt-get -q download "$name" > /dev/null
        } && dpkg-deb -x ./"$name"_*.deb . && rm -f ./"$name"_*.deb
    ) && mv "$dir.new" "$dir"
}


# The package lists may be absent or old: then they are fetched, once.
apt_install() {
    apt_try "$@" && return

    note "fetching the package lists"
    as_root apt-get -q update 2>&1 | tail -n 2 >&2
    apt_try "$@" || { tail -n 20 "$APT_LOG" >&2; return 1; }
}


apt_try() {
    APT_LOG=$PODI_VAR/log/apt.log
    mkdir -p "$PODI_VAR/log"

    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
        --no-install-recommends install "$@" 2>&1 < /dev/null \
        | tee "$APT_LOG" | apt_progress
}


apt_progress() {
    awk '/newly installed/        { total = $3 }
         /^Need to get|^Fetched/  { print "   " $0; fflush() }
         /^Setting up/            { printf "   %d/%d %s\n", ++n, total, $3
                                    fflush() }' >&2
}


guard_up() {
    if [ -e "$POLICY" ] && ! grep -qs "$GUARD_MARK" "$POLICY"; then
        as_root mv "$POLICY" "$POLICY.podi-kept"
    fi
    printf '#!/bin/sh\n# %s\nexit 101\n' "$GUARD_MARK" \
        | as_root tee "$POLICY" > /dev/null
    as_root chmod 755 "$POLICY"
}


guard_cluster_up() {
    [ -e "$CLUSTER_CONF" ] || return 0
    [ -e "$CLUSTER_CONF.podi-kept" ] \
        || as_root cp -p "$CLUSTER_CONF" "$CLUSTER_CONF.podi-kept"
    printf '\n# %s\ncreate_main_cluster = false\n' "$GUARD_MARK" \
        | as_root tee -a "$CLUSTER_CONF" > /dev/null
}


guard_down() {
    if grep -qs "$GUARD_MARK" "$POLICY"; then
        as_root rm -f "$POLICY"
    fi
    if [ -e "$POLICY.podi-kept" ]; then
        as_root mv "$POLICY.podi-kept" "$POLICY"
    fi
    if [ -e "$CLUSTER_CONF.podi-kept" ]; then
        as_root mv "$CLUSTER_CONF.podi-kept" "$CLUSTER_CONF"
    fi
}
