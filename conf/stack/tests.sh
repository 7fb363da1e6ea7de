# shellcheck shell=bash disable=SC2034
#
# tests: the verbs test, lint, asan, bench, vectors, chaos, fuzz, conformance.
#
#     packages, build, units -> a fresh stack in $PODI_VAR/test -> prove
#
# Programs that mostly wait run side by side (t/testrules.yml).  The test stack
# has its own state and its own free ports, so that it never meets the one of
# `up`.  It is stopped however the run ends; its logs stay.

SUITE=(t/00-lint t/10-unit t/20-sql t/30-http t/35-browser t/40-worker
       t/50-fault t/60-fuzz t/65-sim)


verb_test() {
    tests_build
    tests_stack_up
    trap tests_stack_down EXIT
    tests_prove "$@"
}


tests_build() {
    packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_BUILD[@]}" \
        "${PACKAGES_TEST[@]}" "${PACKAGES_DEMO[@]}" \
        "${PACKAGES_BROWSER[@]}"
    compile
    compile_tests
    compile_faults
    demo_photos
}


tests_stack_up() {
    # a stack that an interrupted run left behind goes first
    state_at "$PODI_VAR/test"
    if state_load; then
        (verb_down)
    fi
    tests_clean
    state_at "$PODI_VAR"

    PODI_HTTPS_PORT=$(tests_port)
    PODI_HTTP_PORT=$(tests_port)
    stack_start
    set -a
    eval "$(verb_env)"
    PODI_TEST_STACK=$STATE
    PODI_NGINX=$NGINX
    PODI_DEMO_DIR=$DEMO_DIR
    set +a
    # each suite has its own, for they run side by side
    unset TEST_NGINX_SERVROOT
}


tests_stack_down() {
    verb_down > /dev/null 2>&1 || say "the test stack could not be stopped"
}


tests_clean() {
    case $STATE in
        "$PODI_VAR" | /var/tmp/podi.*) rm -rf "$STATE" ;;
    esac
    rm -rf "$PODI_VAR"
}


# A port that nobody listens on, and that no client is given meanwhile.
tests_port() {
    perl -I"$ROOT/t/lib" -MPodi::Proc=free_port -e 'print free_port()'
}


tests_prove() {
    local -a paths=("$@")
    local dir

    if [ "${#paths[@]}" -eq 0 ]; then
        for dir in "${SUITE[@]}"; do
            [ ! -d "$ROOT/$dir" ] || paths+=("$dir")
        done
    fi

    say "running the tests"
    (cd "$ROOT" && prove -r --timer -j "$(tests_jobs)" \
        -It/lib "${paths[@]}")
}


# Test programs at once, of those that t/testrules.yml lets run side by side.
tests_jobs() {
    local cores

    cores=$(nproc)
    echo $((cores < 4 ? cores : 4))
}


verb_lint() {
    packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_BUILD[@]}" \
        "${PACKAGES_TEST[@]}"
    tests_prove t/00-lint
}


# What other queues need; those that cannot be had are left out.
bench_peers() {
    command -v npm > /dev/null || (packages_need "${PACKAGES_PEERS[@]}") \
        || note "without npm: no peers from there"
    (packages_need "${PACKAGES_QUEUES[@]}") || note "without Celery and RQ"
}


# What polls third parties beside podi_runnerd.
bench_pools() {
    (packages_need "${PACKAGES_POOLS[@]}") || note "without Celery"
}


# njs verifies tokens beside us; Debian's package would load it into the
# machine's own nginx.
bench_njs() {
    packages_apart libnginx-mod-http-js "$PODI_VAR/njs" \
        || note "without njs: it cannot be downloaded"
}


# bench [NAME [ARGUMENT...]]: each measurement makes a stack of its own, with
# one nginx worker; nothing else of ours should run beside it.
verb_bench() {
    local script name=${1:-} found=0 failed=0

    [ $# -eq 0 ] || shift
    packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_BUILD[@]}" \
        "${PACKAGES_TEST[@]}" "${PACKAGES_BENCH[@]}"
    [ "${name:-jobs}" != jobs ] || bench_peers
    [ "${name:-gateway}" != gateway ] || bench_njs
    [ "${name:-executors}" != executors ] || bench_pools
    compile

    for script in "$ROOT"/t/bench/*.pl; do
        [ "$(basename "$script" .pl)" = "${name:-$(basename "$script" .pl)}" ] \
            || continue
        found=1
        say "measuring $(basename "$script" .pl)"
        PODI_BUILD=$PODI_BUILD PODI_BENCH_OUT=$PODI_VAR/bench \
            PODI_NJS=$PODI_VAR/njs/usr/lib/nginx/modules/ngx_http_js_module.so \
            perl -I"$ROOT/t/lib" "$script" "$@" || failed=1
    done
    [ "$found" = 1 ] || die "there is no measurement ${name:-at all}"
    [ "$failed" = 0 ] || die "a measurement is invalid, or ended early"
}


verb_vectors() {
    local file schemas=0

    [ $# -gt 0 ] || die "usage: ./build.sh vectors FILE..."

    # a file of the JSON-Schema-Test-Suite is an array; ours are objects
    for file in "$@"; do
        [ "$(head -c 256 "$file" | tr -d ' \t\r\n' | head -c 1)" != '[' ] \
            || schemas=$((schemas + 1))
    done
    if [ "$schemas" -eq $# ]; then
        packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_TEST[@]}"
        exec perl -I"$ROOT/t/lib" "$ROOT/t/lib/vectors/schema.pl" "$@"
    fi
    [ "$schemas" -eq 0 ] || die "one kind of vectors at a time"

    if [ ! -x "$PODI_BUILD/vectors" ]; then
        packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_BUILD[@]}"
        compile
    fi
    exec "$PODI_BUILD/vectors" "$@"
}


# chaos [--seed S] [--minutes N] [--break NAME] [--keep DIR]: a world of its
# own; the last line on stdout is the verdict.
verb_chaos() {
    packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_BUILD[@]}" \
        "${PACKAGES_TEST[@]}"
    compile
    compile_echod
    PODI_BUILD=$PODI_BUILD exec perl -I"$ROOT/t/lib" "$ROOT/t/chaos/run.pl" \
        "$@"
}


# fuzz [--minutes N] [NAME...]: harnesses with the sanitizers, led by the code
# that they reach; an input that was bad is left in $PODI_VAR.
verb_fuzz() {
    local name minutes=10 failed=0

    if [ "${1:-}" = --minutes ]; then
        minutes=${2:?--minutes wants a number}
        shift 2
    fi

    packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_BUILD[@]}" \
        "${PACKAGES_TEST[@]}"
    PODI_BUILD=$PODI_VAR/build-fuzz
    say "building in $PODI_BUILD"
    make -s -j2 -C "$ROOT/shared" fuzz PODI_BUILD="$PODI_BUILD" SAN=1 COV=1

    for name in $(fuzz_names "$@"); do
        PODI_FUZZ_LAST=$PODI_VAR/fuzz-$name \
            "$PODI_BUILD/fuzz/$name" "$((minutes * 60))s" \
            | sed "s/^/$name: /" || failed=1
    done
    [ "$failed" = 0 ] || die "an input was bad"
}


# Those that were named, or all of them.
fuzz_names() {
    if [ $# -gt 0 ]; then
        printf '%s\n' "$@"
        return
    fi
    find "$ROOT/t/60-fuzz" -name '*.c' ! -name 'fuzz_*' -printf '%f\n' \
        | sed 's/\.c$//' | sort
}


# conformance comfyui URL [--header 'Name: value' | @FILE]... [--alone]: asks a server
# of somebody's, so nothing is installed, built or started for it.
verb_conformance() {
    local kind=${1:-}

    if [ "$kind" != comfyui ]; then
        echo "not yet"
        exit 3
    fi
    shift
    exec perl -I"$ROOT/t/lib" "$ROOT/t/conformance/comfyui.pl" "$@"
}
