# shellcheck shell=bash
#
# keys: passwords, PODI's keys, the local CA and the server's certificate.
#
#     keys/   pg_* redis     passwords, one a file, no line feed needed
#             context.key token.key refresh.key store.key
#     tls/    ca.crt ca.key server.crt server.key

# secret_file NAME [GROUP]: a random password, made once.
secret_file() {
    local file=$STATE/keys/$1

    [ -s "$file" ] && return
    (umask 077 && openssl rand -hex 24 > "$file")
    [ $# -lt 2 ] || own "root:$2" 640 "$file"
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


# PODI's own keys: made once, readable by the group of the web server.
keys_up() {
    local dir=$STATE/keys

    [ -s "$dir/context.key" ] \
        || echo "k$(date +%y%m) $(openssl rand -hex 32)" \
            | keys_put "$dir/context.key"
    [ -s "$dir/refresh.key" ] \
        || openssl rand -hex 32 | keys_put "$dir/refresh.key"
    [ -s "$dir/store.key" ] \
        || printf 'PODI%s:%s\n' "$(openssl rand -hex 8 | tr a-f A-F)" \
            "$(openssl rand -hex 20)" | keys_put "$dir/store.key"
    [ -s "$dir/token.key" ] \
        || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
            2> /dev/null | keys_put "$dir/token.key"
}


keys_put() {
    (umask 077 && cat > "$1.new")
    own "root:$WEB_GROUP" 640 "$1.new"
    mv "$1.new" "$1"
}
