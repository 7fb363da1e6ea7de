# A request's body where it is not what a route expects: one that was never
# read, one that is too large by its chunks.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http();
our $Server = <<'EOS';
    podi_tenant demo;
    location /v1/ {
        client_max_body_size 8k;
        podi_auth on;
        podi_account;
        podi_task;
    }
    location = /copied {
        mirror /v1/auth/login;
        mirror_request_body off;
        proxy_pass http://127.0.0.1:$server_port/said;
    }
    location = /said { return 200 ""; }
EOS

our $Head = "POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\n"
    . "Connection: close\r\nContent-Type: application/json\r\n"
    . "Transfer-Encoding: chunked\r\n\r\n";

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: a copy of a request comes without its body, and harms nobody
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
Content-Type: application/json
--- pipelined_requests eval
[map { "POST /copied\n{\"login\":\"annie\",\"password\":\"12345678\"}" } 1, 2]
--- error_code eval: [200, 200]


=== TEST 2: chunks beyond client_max_body_size
--- http_config eval: $::Http
--- config eval: $::Server
--- raw_request eval
$::Head . sprintf("%x\r\n%s\r\n0\r\n\r\n", 9000, 'x' x 9000)
--- error_code: 413
--- response_body_like: "code":"body_too_large"
--- error_log
client intended to send too large chunked body


=== TEST 3: chunks beyond what the route takes
--- http_config eval: $::Http
--- config eval: $::Server
--- raw_request eval
$::Head . sprintf("%x\r\n%s\r\n0\r\n\r\n", 5000, 'x' x 5000)
--- error_code: 413
--- response_body_like: "code":"body_too_large"


=== TEST 4: a field whose name would be a line of the log
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
Content-Type: application/json
--- request
POST /v1/auth/login
{"login":"annie","password":"12345678","a\nforged line":1}
--- error_code: 422
--- response_body_like: "field":"a\\nforged line"
--- error_log
field a?forged line
--- no_error_log eval: qr/^forged line/
