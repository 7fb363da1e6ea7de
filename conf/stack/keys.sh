# shellcheck shell=bash
#
# keys: passwords, PODI's keys, the local CA and the server's certificate.
#
#     keys/   pg_* redis                              passwords, one a file
#             kek                                     the workers' alone
#             webhook.key                             theirs and nginx's
#             context.key chain.key token.key refresh.key store.key
#     tls/    ca.crt ca.key server.crt server.key

# Made once, by podictl; readable by the group of the web server.
keys_up() {
    local kind name

    for name in pg_web pg_worker pg_ctl redis; do
        key_make secret "$name"
    done
    for kind in context chain token refresh store; do
        key_make "$kind" "$kind.key"
    done
    key_make secret pg_super
    own root:root 600 "$STATE/keys/pg_super"
    key_make kek kek
    own "$WEB_USER:$WEB_GROUP" 600 "$STATE/keys/kek"
    key_make secret webhook.key
    own "$WEB_USER:$WEB_GROUP" 600 "$STATE/keys/webhook.key"
}


key_make() {
    local file=$STATE/keys/$2

    [ -s "$file" ] && return
    rm -f "$file"
    "$STATE/bin/podictl" key make "$1" "$file" \
        || die "the key $2 could not be made"
    own "root:$WEB_GROUP" 640 "$file"
}


tls_up() {
    local dir=$STATE/tls

    if [ ! -s "$dir/ca.crt" ]; then
        say "making a local certificate authority"
        tls_ca "$dir"
    fi
    if ! openssl x509 -in "$dir/server.crt" -noout -checkend 604800 \
        > /dev/null 2>&1
    then
        tls_server "$dir"
    fi
}


tls_key() {
    (umask 077 && openssl genpkey -algorithm EC -quiet \
        -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2> /dev/null)
}


tls_ca() {
    tls_key "$1/ca.key"
    openssl req -x509 -new -key "$1/ca.key" -sha256 -days 3650 \
        -subj "/CN=PODI local CA ($(hostname))" \
        -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' \
        -addext 'keyUsage=critical,keyCertSign,cRLSign' -out "$1/ca.crt"
    rm -f "$1/server.crt"
}


tls_server() {
    tls_key "$1/server.key"
    openssl req -new -key "$1/server.key" -subj '/CN=localhost' \
        | openssl x509 -req -sha256 -days 820 -CA "$1/ca.crt" \
            -CAkey "$1/ca.key" -CAcreateserial -out "$1/server.crt" \
            -extfile <(cat <<'END'
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1
END
    ) 2> /dev/null || die "the server's certificate could not be made"
}
