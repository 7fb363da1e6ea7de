# shellcheck shell=bash disable=SC2153
#
# sandbox: PODI_SANDBOX=1 ./build.sh up, for those who build a page.
#
#     apply.sh notes it in the database -> mock.* actions -> podi_sandbox on
#       -> the tenant is the operator's -> two accounts with points, pictures and tasks in every state
#
# A stack that was made without it can become one, and be none again: `up`
# with PODI_SANDBOX=0.  What was made stays, and mocks are switched off.

sandbox_is_on() {
    [ "${PODI_SANDBOX:-0}" = 1 ]
}


# A file of conf/ (stdin); podi-http.conf with answers that can be wished for.
sandbox_conf() {
    cat
    if sandbox_is_on && [ "$1" = podi-http.conf ]; then
        printf '\npodi_sandbox on;\n'
    fi
}


sandbox_up() {
    local file

    sandbox_is_on || { sandbox_left; return 0; }

    demo_photos
    for file in "$ROOT"/conf/sandbox/*.json; do
        podictl action put "$file" >> "$STATE/log/sandbox.log" 2>&1 \
            || { tail -n 5 "$STATE/log/sandbox.log" >&2
                 die "the action of $file could not be added"; }
    done
    sandbox_operator on

    PODI_URL=https://localhost:$PODI_HTTPS_PORT PODI_CA=$STATE/tls/ca.crt \
        PODI_TENANT=demo PODI_CTL=$STATE/bin/podictl \
        PODI_CTL_CONF=$STATE/conf/workers.conf \
        perl "$ROOT/conf/stack/sandbox.pl" "$DEMO_DIR" "$STATE/keys/sandbox"
}


# Whose password was printed runs nothing once this is an ordinary stack.
sandbox_left() {
    [ ! -e "$STATE/keys/sandbox" ] || sandbox_operator off
}


# The administrator sees /v1/admin too, which is for who runs the installation.
sandbox_operator() {
    podictl tenant operator demo "$1" >> "$STATE/log/sandbox.log" 2>&1 \
        || { tail -n 5 "$STATE/log/sandbox.log" >&2
             die "the operator's tenant could not be set"; }
}
