# shellcheck shell=bash disable=SC2034
#
# asan: the suite with everything built by AddressSanitizer and UBSan.
#
#     Debian's source of nginx -> nginx with ASan and NGX_DEBUG_PALLOC
#     SAN=1 make (module, daemons, units) -> the suite against that nginx
#
# NGX_DEBUG_PALLOC gives each pool allocation its own malloc, so that ASan
# sees a step over its end.  The package lists that name the source are our
# own, under PODI_BUILD: the machine's are not touched.  Without the source,
# stock nginx is used with the sanitizers' libraries preloaded, and we say so.

# nginx itself does these on purpose, in many places
ASAN_NGINX_FLAGS="-O1 -g -fno-omit-frame-pointer -DNGX_DEBUG_PALLOC=1 \
-fsanitize=address,undefined \
-fno-sanitize=alignment,nonnull-attribute,pointer-overflow,shift"


verb_asan() {
    PODI_BUILD=$PODI_VAR/build-asan
    export PODI_BUILD SAN=1
    export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:disable_coredump=1
    export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

    # as many as fit into the life of the test's tokens
    export PODI_FAULT_TASKS=${PODI_FAULT_TASKS:-300}

    packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_BUILD[@]}" \
        "${PACKAGES_TEST[@]}" "${PACKAGES_ASAN[@]}"
    asan_nginx
    verb_test "$@"
}


asan_nginx() {
    local dir=$PODI_BUILD/nginx-src
    local binary=$dir/objs/nginx

    if [ -x "$binary" ] || { asan_source "$dir" && asan_compile "$dir"; }; then
        say "nginx: Debian's source with ASan, UBSan, NGX_DEBUG_PALLOC"
        NGINX=$binary
        export NGINX_SRC=$dir
        return
    fi

    say "nginx: the stock one, sanitizers preloaded (no source to be had)"
    asan_wrapper > "$PODI_BUILD/nginx-preload"
    chmod 755 "$PODI_BUILD/nginx-preload"
    NGINX=$PODI_BUILD/nginx-preload
}


asan_wrapper() {
    local asan ubsan

    asan=$(gcc -print-file-name=libasan.so)
    ubsan=$(gcc -print-file-name=libubsan.so)
    printf '#!/bin/sh\nexport LD_PRELOAD=%s:%s\nexec %s "$@"\n' \
        "$(realpath "$asan")" "$(realpath "$ubsan")" /usr/sbin/nginx
}


# The upstream tarball is enough; Debian's patches go on top when they can be
# had too (a mirror may already have a newer set than this machine runs).
asan_source() {
    local work=$PODI_BUILD/nginx-deb version

    rm -rf "$work" "$1"
    mkdir -p "$work/lists/partial" "$work/parts" "$1"
    asan_lists "$work/parts"
    version=$(dpkg-query -W -f '${source:Version}' nginx)

    (
        cd "$work" || exit
        asan_apt "$work" update
        asan_apt "$work" source --download-only "nginx=$version" \
            || asan_apt "$work" source --download-only nginx
    ) > "$work/log" 2>&1 || true

    tar -C "$1" --strip-components=1 -xzf "$work"/nginx_*.orig.tar.gz \
        2> /dev/null || { rm -rf "$1"; return 1; }
    asan_patch "$work" "$1"
    cp /usr/share/nginx/src/conf_flags "$1/"
}


asan_patch() {
    local tarball name

    tarball=$(find "$1" -name 'nginx_*.debian.tar.xz')
    [ -n "$tarball" ] || { note "without Debian's patches"; return 0; }
    tar -C "$2" -xJf "$tarball"
    grep -v '^#' "$2/debian/patches/series" | while read -r name; do
        patch -s -d "$2" -p1 < "$2/debian/patches/$name"
    done
}


# The machine's own sources, as sources of source packages.
asan_lists() {
    local file

    for file in /etc/apt/sources.list.d/*.sources; do
        [ -e "$file" ] || continue
        sed 's/^Types:.*/Types: deb-src/' "$file" > "$1/${file##*/}"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -e "$file" ] || continue
        sed -n 's/^deb /deb-src /p' "$file" > "$1/$(basename "$file" .list).list"
    done
}


asan_apt() {
    local work=$1

    shift
    apt-get -q -o Dir::Etc::SourceList=/dev/null \
        -o "Dir::Etc::SourceParts=$work/parts" \
        -o "Dir::State::Lists=$work/lists" \
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "$@"
}


asan_compile() {
    say "building nginx with the sanitizers"
    (
        cd "$1" || exit
        # shellcheck source=/dev/null
        . ./conf_flags
        ./configure "${NGX_CONF_FLAGS[@]}" \
            --with-cc-opt="$ASAN_NGINX_FLAGS" \
            --with-ld-opt=-fsanitize=address,undefined
        make -s -j2 -f objs/Makefile binary
    ) > "$PODI_BUILD/nginx-src.log" 2>&1 && return
    tail -n 20 "$PODI_BUILD/nginx-src.log" >&2
    return 1
}
