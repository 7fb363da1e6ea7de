# shellcheck shell=bash
#
# compile: libpodi.a -> workers and podictl -> the nginx module.
#
# Each directory has its own Makefile; this only calls them in order.  With
# SAN=1 everything is built with AddressSanitizer and UBSan.

compile() {
    local log=$PODI_BUILD/build.log part

    mkdir -p "$PODI_BUILD"
    say "building in $PODI_BUILD"

    : > "$log"
    for part in shared workers ngx_podi_module; do
        make -s -j2 -C "$ROOT/$part" PODI_BUILD="$PODI_BUILD" \
            SAN="${SAN:-0}" >> "$log" 2>&1 && continue
        tail -n 40 "$log" >&2
        die "$part does not build (see $log)"
    done
}


# The same once more with PODI_FAULT points, unoptimized, in a directory of its
# own: it is never what runs anywhere else.
compile_faults() {
    local log=$PODI_BUILD/build-faults.log dir=$PODI_BUILD/faults

    mkdir -p "$dir"
    {
        make -s -j2 -C "$ROOT/shared" lib \
            PODI_BUILD="$dir" SAN="${SAN:-0}" FAULTS=1 \
            && make -s -j2 -C "$ROOT/workers" "$dir/test/echod" \
                "$dir"/bin/podi_{dispatchd,janitord,imaged,runnerd} \
                PODI_BUILD="$dir" SAN="${SAN:-0}" FAULTS=1 \
            && make -s -j2 -C "$ROOT/ngx_podi_module" \
                PODI_BUILD="$dir" SAN="${SAN:-0}" FAULTS=1
    } > "$log" 2>&1 && return

    tail -n 40 "$log" >&2
    die "the build with faults does not build (see $log)"
}


# The worker that chaos has beside the real ones.
compile_echod() {
    make -s -j2 -C "$ROOT/workers" "$PODI_BUILD/test/echod" \
        PODI_BUILD="$PODI_BUILD" SAN="${SAN:-0}" >> "$PODI_BUILD/build.log" \
        2>&1 || die "echod does not build (see $PODI_BUILD/build.log)"
}


# What only the tests run: units, the fuzz harness, the simulator, programs on
# the skeleton.
compile_tests() {
    local log=$PODI_BUILD/build-tests.log

    {
        make -s -j2 -C "$ROOT/shared" units fuzz sim \
            PODI_BUILD="$PODI_BUILD" SAN="${SAN:-0}" \
            && make -s -j2 -C "$ROOT/workers" tests \
                PODI_BUILD="$PODI_BUILD" SAN="${SAN:-0}"
    } > "$log" 2>&1 && return

    tail -n 40 "$log" >&2
    die "the test programs do not build (see $log)"
}
