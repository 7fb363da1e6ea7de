# What core refuses to start with, and the bounds that it keeps.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http();
our $Ann = Podi::Suite::member('annie')->{token};
our $Server = <<'EOS';
    podi_tenant demo;
    location /v1/ { podi_auth on; podi_account; podi_wallet; podi_task; }
EOS

# the suite's http level without the lines of some directives
our $Without = sub {
    my ($name, $instead) = @_;
    return Podi::Suite::http(replace => { "\\n$name\\b[^;]*;" => "\n" },
                             add => $instead // '');
};

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: no podi_pg
--- http_config eval: $::Without->('podi_pg')
--- config eval: $::Server
--- must_die
--- error_log
"podi_pg" is missing: write podi_pg "host=


=== TEST 2: a host name, whose look-up would block
--- http_config eval: $::Without->('podi_pg', 'podi_pg "host=db.example";')
--- config eval: $::Server
--- must_die
--- error_log
write host=/run/postgresql, or hostaddr=


=== TEST 3: a password in the open
--- http_config eval: $::Without->('podi_pg', 'podi_pg "host=/run password=x";')
--- config eval: $::Server
--- must_die
--- error_log
podi_pg_password_file


=== TEST 3b: that of a key of TLS
--- http_config eval: $::Without->('podi_pg', 'podi_pg "host=/run sslpassword=x";')
--- config eval: $::Server
--- must_die
--- error_log
"podi_pg" holds sslpassword


=== TEST 4: no key to sign tokens with
--- http_config eval: $::Without->('podi_token_key_file')
--- config eval: $::Server
--- must_die
--- error_log
"podi_token_key_file" is missing: write


=== TEST 5: tokens that would live too long
--- http_config eval: $::Http . 'podi_token_lifetime 1h;'
--- config eval: $::Server
--- must_die
--- error_log
write a time between 5m and 10m


=== TEST 6: nobody's tenant
--- http_config eval: $::Http
--- config
    location /v1/ { podi_wallet; }
--- must_die
--- error_log
"podi_tenant" is missing: write podi_tenant


=== TEST 7: the same routes twice
--- http_config eval: $::Http
--- config
    podi_tenant demo;
    location /v1/ { podi_wallet; podi_wallet; }
--- must_die
--- error_log
"podi_wallet" directive is duplicate


=== TEST 8: a pool without threads
--- http_config eval: $::Http . 'podi_thread_pool threads=0;'
--- config eval: $::Server
--- must_die
--- error_log
write podi_thread_pool threads=2 queue=64;


=== TEST 9: every number set
--- http_config eval
$::Without->('podi_thread_pool', "podi_pg_pipelined 1; podi_pg_slow 1;"
             . "podi_pg_depth 4; podi_thread_pool threads=1 queue=0;")
--- config eval: $::Server . "podi_deadline 3s;"
--- more_headers eval: "Authorization: Bearer $::Ann"
--- request
GET /v1/wallet
--- response_body_like: "available":0


=== TEST 10: a token for another audience
--- http_config eval: $::Http . 'podi_token_audience https://else.example;'
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Ann"
--- request
GET /v1/wallet
--- error_code: 401
--- response_body_like: "code":"token_invalid"


=== TEST 11: a path that is no route, a method that a path has not
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Ann"
--- pipelined_requests eval: ['GET /v1/wallet/', 'DELETE /v1/tasks']
--- error_code eval: [404, 405]
--- response_headers eval: ['Allow:', 'Allow: GET, HEAD, POST']
--- response_body_like eval: ['"code":"not_found"', '"code":"method_not_allowed"']


=== TEST 12: HEAD is GET without the body
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Ann"
--- request
HEAD /v1/wallet
--- response_headers_like
Content-Length: [1-9][0-9]*
--- response_body:


=== TEST 13: a body that nobody read does not harm the next request
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: ["POST /v1/tasks\n" . 'x' x 5000, 'GET /v1/auth/methods']
--- error_code eval: [401, 200]
--- response_body_like eval: ['unauthenticated', '"method":"local"']


=== TEST 14: a body that comes in chunks
--- http_config eval: $::Http
--- config eval: $::Server
--- raw_request eval
"POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
. "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
. "10\r\n{\"login\":\"annie\"\r\n18\r\n,\"password\":\"wrong-one\"}\r\n0\r\n\r\n"
--- error_code: 401
--- response_body_like: "code":"bad_credentials"


=== TEST 15: the language of the caller
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
Accept-Language: zh-CN,zh;q=0.9,en;q=0.5
--- request
GET /v1/wallet
--- error_code: 401
--- response_headers
Content-Language: zh-CN
--- response_body_like: 请先登录


=== TEST 16: a Redis that is not there holds nobody up
--- http_config eval: $::Without->('podi_redis', 'podi_redis 127.0.0.1:1;')
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Ann"
--- request
GET /v1/wallet
--- response_body_like: "available":0
