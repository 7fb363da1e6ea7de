# Pages of other origins: let in by name, and told what they may read.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http();
our $Ann = Podi::Suite::member('annie')->{token};
our $Server = <<'EOS';
    podi_tenant demo;
    podi_cors_origin https://app.example http://localhost:5173;
    location /v1/ { podi_auth on; podi_account; podi_wallet; }
    location /app/ {
        add_header X-Decision $podi_decision always;
        empty_gif;
    }
    location /dry/ {
        podi_dry_run on;
        add_header X-Decision $podi_decision always;
        empty_gif;
    }
    location /closed { podi_cors_origin off; return 200 "closed"; }
EOS

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: a preflight needs no token
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
Origin: https://app.example
Access-Control-Request-Method: POST
--- request
OPTIONS /v1/wallet
--- error_code: 204
--- response_headers_like
Access-Control-Allow-Origin: https://app.example
Access-Control-Allow-Credentials: true
Access-Control-Allow-Methods: .*\bPUT\b.*
Access-Control-Allow-Headers: .*\bIdempotency-Key\b.*
Access-Control-Max-Age: 600
Vary: Origin


=== TEST 2: an origin that is not listed is told so
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
Origin: https://app.example.evil
Access-Control-Request-Method: POST
--- request
OPTIONS /v1/wallet
--- error_code: 403
--- response_headers
! Access-Control-Allow-Origin
Vary: Origin
--- response_body_like: "code":"forbidden"


=== TEST 3: OPTIONS that is no preflight is asked for a token like anything
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
Origin: https://app.example
--- request
OPTIONS /v1/wallet
--- error_code: 401


=== TEST 4: the answer may be read, with its trace id
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: "Origin: http://localhost:5173\r\nAuthorization: Bearer $::Ann"
--- request
GET /v1/wallet
--- response_headers_like
Access-Control-Allow-Origin: http://localhost:5173
Access-Control-Allow-Credentials: true
Access-Control-Expose-Headers: .*\bX-Trace-Id\b.*
Vary: Origin


=== TEST 5: so may a refusal
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
Origin: https://app.example
--- request
GET /v1/wallet
--- error_code: 401
--- response_headers
Access-Control-Allow-Origin: https://app.example


=== TEST 6: null is nobody
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
Origin: null
--- request
GET /v1/auth/methods
--- response_headers
! Access-Control-Allow-Origin
Vary: Origin


=== TEST 7: without an origin a cache still has to know
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /v1/auth/methods
--- response_headers
! Access-Control-Allow-Origin
Vary: Origin


=== TEST 8: off takes back
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
Origin: https://app.example
--- request
GET /closed
--- response_headers
! Access-Control-Allow-Origin
! Vary


=== TEST 9: a star is no origin
--- http_config eval: $::Http
--- config
    podi_cors_origin *;
--- must_die
--- error_log
write whole origins, as https://app.example


=== TEST 10: nor is one with a path
--- http_config eval: $::Http
--- config
    podi_cors_origin https://app.example/;
--- must_die
--- error_log
write whole origins, as https://app.example


=== TEST 11: a refusal is the gateway's, as any other
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
Origin: https://evil.example
Access-Control-Request-Method: POST
--- request
OPTIONS /app/x
--- error_code: 403
--- response_headers_like
X-Decision: .*"by":"cors","error":"forbidden".*
--- error_log
podi: forbidden: the origin is not one of podi_cors_origin or of the channel while in cors


=== TEST 12: and runs dry
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
Origin: https://evil.example
Access-Control-Request-Method: POST
--- request
OPTIONS /dry/x
--- error_code: 405
--- response_headers_like
X-Decision: .*"would_by":"cors","would":"forbidden".*
--- raw_response_headers_unlike: Access-Control-Allow-Origin
--- error_log
podi: would refuse: forbidden
