# Who asks, as an upstream is told: in headers that a client cannot make, signed
# when it wants; and what browsers are told with each answer.

use Test::Nginx::Socket 'no_plan';
use Digest::SHA qw( hmac_sha256_hex );
use Podi::Suite;

my $s = Podi::Suite::stack();
my $dir = $s->dir . '/keys';
my $key = 'k' x 40;

for my $pair ([ 'sign.key', $key ], [ 'short.key', 'k' x 31 ]) {
    open my $out, '>', "$dir/$pair->[0]" or die "$pair->[0]: $!";
    print $out $pair->[1];
    close $out;
    chmod 0600, "$dir/$pair->[0]";
}

our $Names = join ' ', map { "\$http_$_" } qw(
    x_podi_user x_user x_user_id x_role x_roles x_channel x_forwarded_user
    forwarded x_remote_user remote_user x_auth_request_email x_webauth_user );
our $Signed = join "\n", '$request_method', '$request_uri',
    map { "\$http_x_podi_$_" } qw( timestamp channel issuer plan role scope
                                   session tenant user signature );
our $Http = Podi::Suite::http(add => <<"EOS");
podi_channel partner { path /partner/; plan gold; }
server {
    listen unix:\$TEST_NGINX_HTML_DIR/up.sock;
    underscores_in_headers on;
    location / { return 200 "$Names \$http_x_user_agent \$http_x_other"; }
    location /partner/ { return 200 "$Signed"; }
    location /framed { add_header X-Frame-Options SAMEORIGIN;
                       add_header Content-Security-Policy "default-src 'self'";
                       return 200 "x"; }
}
EOS
our $Config = <<"EOS";
    podi_tenant demo;
    podi_trace off;
    underscores_in_headers on;
    ignore_invalid_headers off;
    podi_identity_headers on;
    podi_security_headers on "csp=default-src 'none'" referrer=same-origin;
    location ^~ /up {
        proxy_pass http://unix:\$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /partner/ {
        podi_auth on;
        podi_identity_headers on sign=$dir/sign.key;
        proxy_pass http://unix:\$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /framed {
        proxy_pass http://unix:\$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /traced {
        podi_identity_headers off;
        proxy_pass http://unix:\$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /missing { root /nonexistent; log_not_found off; }
    location /bare { podi_security_headers off; return 200 "x"; }
    location /loose { podi_security_headers on frame=off hsts=off referrer=off;
                      return 200 "x"; }
EOS
our $Trace = $Config =~ s/podi_trace off/podi_trace on/r;

my $ann = Podi::Suite::member('annie');
our $Ann = "Authorization: Bearer $ann->{token}\r\n";
our $Evil = 'Authorization: Bearer '
          . $s->token($ann, rol => "user\r\nX-Evil: 1") . "\r\n";
our $Short = "$dir/short.key";

# as the page of podi_identity_headers says it to those who write upstreams
sub verified
{
    my ($method, $target, $time, @rest) = split /\n/, $_[0], -1;
    my $mac = pop @rest;
    my @name = qw( channel issuer plan role scope session tenant user );
    my $text = join '', map { length $rest[$_] ? "x-podi-$name[$_]:$rest[$_]\n"
                                               : '' } 0 .. $#name;

    return 'old' if abs(time - $time) > 30;
    return "$rest[0] $rest[2] $rest[3] " . ($rest[7] eq $::User ? 'her' : '?')
        . ($mac eq 'v1=' . hmac_sha256_hex("$method\n$target\n$time\n$text",
                                           $key) ? ' signed' : ' forged');
}

our $User = $ann->{user_id};

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: what a client says of itself is not passed on, however it is spelt
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers
X-Podi-User: root
X_Podi_User: root
x-user: root
X_USER: root
X-User-Id: 1
X_User-Id: 1
X-Role: admin
X_Roles: admin
X-Channel: partner
X-Forwarded-User: root
X_Forwarded_User: root
Forwarded: for=127.0.0.1
X-Remote-User: root
Remote_User: root
X-Auth-Request-Email: root@example.com
X-WebAuth_User: root
X-User-Agent: grpc-web
X-Other: stays
--- request
GET /up
--- response_body_like: ^ {12}grpc-web stays$


=== TEST 2: the trace does the same where it is on
--- http_config eval: $::Http
--- config eval: $::Trace
--- more_headers
X_User: root
X_Podi-User: root
X-Other: stays
--- request
GET /traced
--- response_body_like: ^ {12} stays$


=== TEST 3: who it is, signed
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers eval: $::Ann . "X-Podi-Role: admin\r\nX_Podi_Signature: v1=0\r\n"
--- request
GET /partner/a%20b?c=d
--- response_body_filters eval: \&main::verified
--- response_body: partner gold user her signed


=== TEST 4: for each method and target another
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers eval: $::Ann
--- request
DELETE /partner/../partner/x
--- response_body_filters eval: \&main::verified
--- response_body: partner gold user her signed


=== TEST 5: a claim with a line end in it does not get so far
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers eval: $::Evil
--- request
GET /partner/
--- error_code: 401
--- response_body_like: "code":"token_invalid"


=== TEST 6: browsers are told on each answer, errors of nginx too
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /up", "GET /missing"]
--- response_headers eval
[("X-Content-Type-Options: nosniff\nX-Frame-Options: DENY\nReferrer-Policy: same-origin\n"
  . "Content-Security-Policy: default-src 'none'\n! Strict-Transport-Security") x 2]
--- error_code eval
[200, 404]


=== TEST 7: what the upstream says stays, once
--- http_config eval: $::Http
--- config eval: $::Config
--- request
GET /framed
--- raw_response_headers_like: X-Frame-Options: SAMEORIGIN
--- raw_response_headers_unlike: X-Frame-Options: DENY|default-src 'none'


=== TEST 8: off, and in parts
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /bare", "GET /loose"]
--- response_headers eval
["! X-Content-Type-Options\n! X-Frame-Options",
 "X-Content-Type-Options: nosniff\n! X-Frame-Options\n! Referrer-Policy"]


=== TEST 9: a key that is too short
--- config eval: "podi_identity_headers on sign=$::Short;"
--- must_die
--- error_log
a file of 32 bytes or more


=== TEST 10: what it does not take
--- config
podi_security_headers on frame=maybe;
--- must_die
--- error_log
"podi_security_headers" does not take "frame=maybe"


=== TEST 11: HTTP/2
--- http_config eval: $::Http
--- http2
--- config eval: $::Config
--- more_headers
X-Podi-User: root
X-Other: stays
--- request
GET /up
--- response_body_like: ^ {12} stays$
