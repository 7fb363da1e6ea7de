# podi_dry_run: the gateway says what it would have refused, and lets pass.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;
use Podi::Token;

our $Http = Podi::Suite::http();
our $Server = <<'EOS';
    podi_tenant demo;
    podi_dry_run on;

    location /app {
        podi_auth on;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
        proxy_set_header X-Podi-User $podi_user;
    }

    location /shut {
        podi_dry_run off;
        podi_auth on;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }

    location /v1/ { podi_auth on; podi_wallet; }
    location = /metrics { podi_status; }
EOS
our $Upstream = <<'EOS';
server {
    listen unix:$TEST_NGINX_HTML_DIR/up.sock;
    location / { return 200 "user=$http_x_podi_user"; }
}
EOS

our $Ann = Podi::Suite::member('annie');
our $Bob = Podi::Suite::member('bobby');

# before nginx is there: its table of ended sessions is empty at first
Podi::Suite::stack()->sql(<<'SQL', $Bob->{session});
update podi.session set revoked_at = now(), revoke_reason = 'logout'
 where session_id = ?
SQL

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: nobody is let pass, and the log says what would have been
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
GET /app
--- response_body: user=
--- error_log: podi: would refuse: unauthenticated: there is no token while in auth


=== TEST 2: a wrong token as well
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- more_headers
Authorization: Bearer a.b.c
--- request
GET /app
--- response_body: user=
--- error_log: would refuse: token_invalid


=== TEST 3: and one whose session has ended
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Bob->{token}"
--- request
GET /app
--- response_body: user=
--- error_log: would refuse: token_revoked


=== TEST 4: a good token still tells who it is
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Ann->{token}"
--- request
GET /app
--- response_body eval: "user=$::Ann->{user}"


=== TEST 5: a location may be excepted
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
GET /shut
--- error_code: 401
--- response_body_like: "code":"unauthenticated"


=== TEST 6: our own routes want an identity none the less
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
GET /v1/wallet
--- error_code: 401
--- response_body_like: "code":"unauthenticated"


=== TEST 7: what would have been refused is counted
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
GET /metrics
--- response_body_like: (?m)^podi_would_refuse_total [1-9]
