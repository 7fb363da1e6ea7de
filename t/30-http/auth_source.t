# Where a token may be, that there is only one, and that an upstream does not
# see it.  Without PostgreSQL.

use Test::Nginx::Socket 'no_plan';
use Podi::Issuer;

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

our $One = Podi::Issuer->new(iss => 'https://one.example', aud => 'a');
our $Set = $One->jwks_file('ES256');
our $Ann = $One->token('ES256', sub => 'ann', sid => 's1');
our $Later = $One->token('ES256', sub => 'ann', sid => 's1', jti => 2);
our $Fresh = $One->token('ES256', sub => 'ann', sid => 's1', jti => 3);
our $Else = $One->token('ES256', sub => 'ann', sid => 's2');
our $Bob = $One->token('ES256', sub => 'bob', sid => 's3');

our $Http = <<"EOS";
podi_issuer one { issuer https://one.example; audience a; jwks_file $Set; }
podi_auth_issuer one;
podi_limit_zone guesses 1m key=ip rate=1r/h burst=3;
podi_limit_zone enough 1m key=ip rate=1r/h burst=1;
server {
    listen unix:\$TEST_NGINX_HTML_DIR/up.sock;
    large_client_header_buffers 4 32k;
    location / { return 200 "\$http_x_podi_user by \$http_x_podi_credential [\$http_authorization|\$http_x_token|\$http_cookie|\$args|\$http_x_other]"; }
}
EOS
our $Server = <<'EOS';
    large_client_header_buffers 4 32k;
    podi_auth on;
    proxy_set_header X-Podi-User $podi_user;
    proxy_set_header X-Podi-Credential $podi_credential;

    location /preset { proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location /all {
        podi_auth_source header header=X-Token cookie=tok query=tok;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;

        location /all/stripped {
            podi_auth_strip on;
            proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
        }
        location /all/twice {
            podi_auth_strip on;
            error_page 404 = @again;
            root /nonexistent;
            log_not_found off;
        }
    }
    location @again {
        podi_auth_source header header=X-Token cookie=tok query=tok;
        podi_auth_strip on;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /cookie {
        podi_auth_source cookie;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /then/ {
        podi_auth_strip on;

        location /then/header {
            podi_auth_source header header=X-Token cookie=tok query=tok;
            try_files /none @header;
        }
        location /then/guarded {
            podi_auth_source cookie=tok;
            podi_csrf on;
            try_files /none @open;
        }
        location /then/optional {
            podi_auth optional;
            podi_auth_source header;
            try_files /none @mixed;
        }
        location /then/mixed {
            podi_auth_source header cookie=tok;
            try_files /none @mixed;
        }
    }
    location @header {
        podi_auth_source header;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location @open {
        podi_auth_source cookie=tok;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location @mixed {
        podi_auth_source header query=tok cookie=tok;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /guess/ {
        podi_auth optional;
        podi_auth_source header cookie=tok;
        podi_auth_failures zone=guesses;
        try_files /none @guessed;
    }
    location @guessed {
        podi_auth optional;
        podi_auth_source cookie=tok;
        podi_auth_failures zone=guesses;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /enough {
        podi_auth_source header cookie=tok;
        podi_auth_failures zone=enough;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
EOS

# its signature is that of another
our $Bad = $Ann;
$Bad =~ s/[^.]+\z/($Bob =~ m{([^.]+)\z})[0]/e;

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: each source, and the same token in all of them
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ ('GET /all') x 4, "GET /all?a=1&tok=$::Ann", "GET /all?tok=$::Ann" ]
--- more_headers eval
[ "Authorization: bearer  $::Ann", "X-Token: $::Ann", "X-Token: Bearer $::Ann",
  "Cookie: a=b; tok=$::Ann", 'X-Nobody: 1',
  "Authorization: Bearer $::Ann\nX-Token: $::Ann\nCookie: tok=$::Ann" ]
--- response_body_like eval
[ ('^ann by header') x 3, '^ann by cookie', '^ann by query', '^ann by query' ]


=== TEST 2: where it must not be, it is not looked for
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ "GET /preset?tok=$::Ann&access_token=$::Ann", 'GET /preset', 'GET /preset',
  'GET /cookie', 'GET /preset', 'GET /cookie' ]
--- more_headers eval
[ 'X-Nobody: 1', "X-Token: $::Ann", "Cookie: tok=$::Ann",
  "Authorization: Bearer $::Ann", "Cookie: __Host-podi_s=$::Ann",
  "Cookie: __Host-podi_s=$::Ann" ]
--- error_code eval: [ 401, 401, 401, 401, 200, 200 ]


=== TEST 3: a cookie allows no change where nobody guards it
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ 'GET /cookie', 'POST /cookie', 'PUT /cookie', 'DELETE /cookie',
  'PROPFIND /cookie', 'OPTIONS /cookie' ]
--- more_headers eval: "Cookie: __Host-podi_s=$::Ann"
--- error_code eval: [ 200, 401, 401, 401, 401, 401 ]


=== TEST 4: two different tokens are too many
--- http_config eval: $::Http
--- config eval: $::Server
--- request eval
[ ('GET /all') x 4, "GET /all?tok=$::Bob", "GET /all?tok=$::Ann&tok=$::Ann",
  'GET /all' ]
--- more_headers eval
[ "Authorization: Bearer $::Ann\nAuthorization: Bearer $::Bob",
  "Authorization: Bearer $::Ann\nX-Token: $::Bob",
  "Authorization: Bearer $::Ann\nCookie: tok=$::Bob",
  "Cookie: tok=$::Ann; tok=$::Ann", "X-Token: $::Ann", 'X-Nobody: 1',
  "Authorization: Bearer $::Ann\nCookie: tok=$::Else" ]
--- error_code eval: [ map { 400 } 1 .. 7 ]
--- response_headers eval
# nginx itself refuses the first
[ '', map { 'WWW-Authenticate: Bearer realm="podi", error="invalid_request"' } 2 .. 7 ]


=== TEST 5: but a page may be behind its browser: of one session the header counts
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /all') x 2 ]
--- more_headers eval
[ "Authorization: Bearer $::Ann\nCookie: tok=$::Later",
  "Authorization: Bearer $::Later\nCookie: tok=$::Ann" ]
--- response_body_like eval: [ '^ann by header', '^ann by header' ]


=== TEST 6: an upstream sees what came, or, stripped, all but the token
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ 'GET /all', 'GET /all/stripped', 'GET /all/stripped',
  "GET /all/stripped?a=1&tok=$::Ann&b=2", "GET /all/stripped?tok=$::Ann",
  'GET /all/stripped', 'GET /all/stripped' ]
--- more_headers eval
[ "Authorization: Bearer $::Ann\nX-Other: x",
  "Authorization: Bearer $::Ann\nX-Other: x",
  "X-Token: $::Ann\nX-Other: x\nAuthorization: Basic YTpi",
  'X-Other: x', 'X-Other: x',
  "Cookie: a=b; tok=$::Ann; c=d\nX-Other: x",
  "Cookie: tok=$::Ann\nX-Other: x" ]
--- response_body eval
[ "ann by header [Bearer $::Ann||||x]", 'ann by header [||||x]',
  'ann by header [Basic YTpi||||x]', 'ann by query [|||a=1&b=2|x]',
  'ann by query [||||x]', 'ann by cookie [||a=b; c=d||x]',
  'ann by cookie [||||x]' ]


=== TEST 7: what was taken out is still known after a redirect
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ 'GET /all/twice', "GET /all/twice?tok=$::Ann&x=1", 'GET /all/twice' ]
--- more_headers eval
[ "Authorization: Bearer $::Ann\nX-Other: x", 'X-Other: x', 'X-Other: x' ]
--- error_code eval: [ 200, 200, 401 ]
--- response_body_like eval
[ '^ann by header \[\|\|\|\|x\]$', '^ann by query \[\|\|\|x=1\|x\]$', 'unauth' ]


=== TEST 8: but only where the next location would look for it
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ ('GET /then/header') x 2, "GET /then/header?tok=$::Ann",
  'GET /then/header', 'GET /then/mixed', 'GET /then/mixed' ]
--- more_headers eval
[ "Authorization: Bearer $::Ann", "X-Token: $::Ann", 'X-Other: x',
  "Cookie: tok=$::Ann", "Cookie: tok=$::Ann", "Cookie: a=b; tok=$::Ann" ]
--- error_code eval: [ 200, 401, 401, 401, 200, 200 ]
--- response_body_like eval
[ '^ann by header \[\|', ('"code":"unauthenticated"') x 3,
  '^ann by cookie \[\|\|\|\|\]', '^ann by cookie \[\|\|a=b\|\|\]' ]


=== TEST 9: and by its own rule for cookies
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ 'GET /then/guarded', 'POST /then/guarded' ]
--- more_headers eval
[ ("Cookie: tok=$::Ann\nSec-Fetch-Site: same-origin") x 2 ]
--- error_code eval: [ 200, 401 ]


=== TEST 10: who had none in the first may have one in the next
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ "GET /then/optional?tok=$::Ann", ('GET /then/optional') x 2,
  "GET /then/mixed?tok=$::Bob" ]
--- more_headers eval
[ 'X-Other: x', "Cookie: tok=$::Ann",
  "Authorization: Bearer $::Ann\nCookie: tok=$::Later", "Cookie: tok=$::Ann" ]
--- error_code eval: [ 200, 200, 200, 400 ]
--- response_body_like eval
[ '^ann by query', '^ann by cookie', '^ann by header', '"code":"bad_request"' ]


=== TEST 11: a bad token is one failure, however many look at it
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /guess/') x 4 ]
--- more_headers eval: "Cookie: tok=$::Bad"
--- error_code eval: [ 200, 200, 200, 429 ]


=== TEST 12: who has failed too often is not even compared with himself
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /enough') x 4 ]
--- more_headers eval
[ "Authorization: Bearer $::Fresh\nCookie: tok=$::Else",
  "Authorization: Bearer $::Later", "Authorization: Bearer $::Bad",
  "Authorization: Bearer $::Fresh\nCookie: tok=$::Else" ]
--- error_code eval: [ 400, 200, 401, 429 ]


=== TEST 13: tokens that are far too long
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /all') x 2 ]
--- more_headers eval
[ 'Authorization: Bearer ' . 'x' x 20000, 'Authorization: Bearer ' . 'x.' x 9000 ]
--- error_code eval: [ 401, 401 ]
--- response_body_like eval: [ ('"code":"token_invalid"') x 2 ]


=== TEST 14: eight mebibytes of one are cut off by nginx, which lives on
--- http_config eval: $::Http
--- config eval: $::Server
--- raw_request eval
"GET /all HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " . 'x' x (8 << 20) . "\r\n\r\n"
--- error_code: 400
--- ignore_response_body
--- error_log
client sent too long header line


=== TEST 15: and answers the next one
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /all
--- more_headers eval: "X-Token: $::Ann"
--- response_body_like: ^ann by header


=== TEST 16: a query without a name
--- http_config eval: $::Http
--- config
    podi_auth_source query;
--- must_die
--- error_log
"podi_auth_source" does not take "query"


=== TEST 17: a source that is none
--- http_config eval: $::Http
--- config
    podi_auth_source body=x;
--- must_die
--- error_log
"podi_auth_source" does not take "body=x"
