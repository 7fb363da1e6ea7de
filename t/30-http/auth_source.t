# Where a token may be, that there is only one, and that an upstream does not
# see it.  Without PostgreSQL.

use Test::Nginx::Socket 'no_plan';
use Podi::Issuer;

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

our $One = Podi::Issuer->new(iss => 'https://one.example', aud => 'a');
our $Set = $One->jwks_file('ES256');
our $Ann = $One->token('ES256', sub => 'ann', sid => 's1');
our $Later = $One->token('ES256', sub => 'ann', sid => 's1', jti => 2);
our $Else = $One->token('ES256', sub => 'ann', sid => 's2');
our $Bob = $One->token('ES256', sub => 'bob', sid => 's3');

our $Http = <<"EOS";
podi_issuer one { issuer https://one.example; audience a; jwks_file $Set; }
podi_auth_issuer one;
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
EOS

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


=== TEST 8: tokens that are far too long
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /all') x 2 ]
--- more_headers eval
[ 'Authorization: Bearer ' . 'x' x 20000, 'Authorization: Bearer ' . 'x.' x 9000 ]
--- error_code eval: [ 401, 401 ]
--- response_body_like eval: [ ('"code":"token_invalid"') x 2 ]


=== TEST 9: eight mebibytes of one are cut off by nginx, which lives on
--- http_config eval: $::Http
--- config eval: $::Server
--- raw_request eval
"GET /all HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " . 'x' x (8 << 20) . "\r\n\r\n"
--- error_code: 400
--- ignore_response_body
--- error_log
client sent too long header line


=== TEST 10: and answers the next one
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /all
--- more_headers eval: "X-Token: $::Ann"
--- response_body_like: ^ann by header


=== TEST 11: a query without a name
--- http_config eval: $::Http
--- config
    podi_auth_source query;
--- must_die
--- error_log
"podi_auth_source" does not take "query"


=== TEST 12: a source that is none
--- http_config eval: $::Http
--- config
    podi_auth_source body=x;
--- must_die
--- error_log
"podi_auth_source" does not take "body=x"
