# shellcheck shell=bash
#
# demo: the main job on real photographs; leaves the stack up.
#
#     up -> two photographs -> demo.pl (sign up ... download) -> its last line
#
# The photographs are in Debian's lomiri-wallpapers-16.04 (CC-BY-4.0, Aitzol
# Berasategi).  The package is unpacked, not installed.  The first is stored
# lying on its side, with an EXIF orientation that says so and a place in its
# GPS tags, as a camera would do it; the upright original is what the results
# are compared with.

DEMO_DIR=${PODI_DEMO_DIR:-$PODI_VAR/demo}
PHOTO_PACKAGE=lomiri-wallpapers-16.04
PHOTO_ONE=picosdeeuropa_by_Aitzol_Berasategi.jpg
PHOTO_TWO=aitzgorri_by_Aitzol_Berasategi.jpg


verb_demo() {
    packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_BUILD[@]}" \
        "${PACKAGES_DEMO[@]}"
    compile
    stack_start
    demo_photos

    export PODI_URL=https://localhost:$PODI_HTTPS_PORT
    export PODI_CA=$STATE/tls/ca.crt PODI_TENANT=demo
    export PODI_CTL=$STATE/bin/podictl PODI_CTL_CONF=$STATE/conf/workers.conf
    perl "$ROOT/conf/stack/demo.pl" "$DEMO_DIR"
}


demo_photos() {
    local dir=$DEMO_DIR pictures

    [ -s "$dir/two.png" ] && return

    say "unpacking two photographs from $PHOTO_PACKAGE"
    mkdir -p "$dir/results"
    demo_unpack "$dir"
    pictures=$dir/package/usr/share/backgrounds

    cp "$pictures/$PHOTO_ONE" "$dir/one.upright.jpg"
    vips rot "$pictures/$PHOTO_ONE" "$dir/one.turned.jpg[Q=92,strip]" d270
    perl "$ROOT/conf/stack/exif.pl" 6 \
        < "$dir/one.turned.jpg" > "$dir/one.jpg"
    vips resize "$pictures/$PHOTO_TWO" "$dir/two.upright.jpg" 0.5
    vips copy "$dir/two.upright.jpg" "$dir/.two.png[strip]"
    mv "$dir/.two.png" "$dir/two.png"
    rm -rf "$dir/package" "$dir/one.turned.jpg"
}


demo_unpack() {
    (
        cd "$1" || exit
        rm -f ./*.deb
        demo_download || { as_root apt-get -q update > /dev/null 2>&1
                           demo_download; } \
            || die "$PHOTO_PACKAGE cannot be downloaded"
        dpkg-deb -x ./*.deb package
        rm -f ./*.deb
    )
}


# apt's own user cannot write here; that it says so helps nobody
demo_download() {
    apt-get -q download "$PHOTO_PACKAGE" > /dev/null 2>&1
}
