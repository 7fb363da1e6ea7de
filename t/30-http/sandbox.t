# podi_sandbox: a front end wishes for an answer, and nothing is done.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http();
our $Ann = Podi::Suite::member('annie');
our $Server = <<'EOS';
    podi_tenant demo;
    podi_sandbox on;
    location /v1/ { podi_auth on; podi_account; podi_task; podi_wallet; }
    location /app/ { proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock:/; }
EOS
our $Shut = $Server =~ s/podi_sandbox on;//r;
our $Upstream = <<'EOS';
server {
    listen unix:$TEST_NGINX_HTML_DIR/up.sock;
    location / { return 200 "mock=$http_x_podi_mock"; }
}
EOS
our $With = "Authorization: Bearer $Ann->{token}\nX-Podi-Mock";

no_shuffle();
run_tests();

__DATA__

=== TEST 1: any code of errors.md, with its status and its text
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
POST /v1/tasks
{}
--- more_headers eval: "$::With: insufficient_points\nContent-Type: application/json"
--- error_code: 402
--- response_headers
Content-Type: application/problem+json
--- response_body_like: "code":"insufficient_points"


=== TEST 2: in the language of the page
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
GET /v1/wallet
--- more_headers eval: "$::With: quota_exceeded\nAccept-Language: zh-CN"
--- error_code: 429
--- response_headers
Content-Language: zh-CN
Retry-After: 1
--- response_body_like: "title":"预算额度已用完".*"retry_after":1


=== TEST 3: nothing is done
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
POST /v1/auth/register
{"login":"wished_away","password":"correct horse battery","display_name":"W"}
--- more_headers
Content-Type: application/json
X-Podi-Mock: login_taken
--- error_code: 409
--- response_body_like: "code":"login_taken"


=== TEST 4: so the name is free
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
POST /v1/auth/register
{"login":"wished_away","password":"correct horse battery","display_name":"W"}
--- more_headers
Content-Type: application/json
--- error_code: 201


=== TEST 5: the gateway comes first
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
GET /v1/wallet
--- more_headers
Authorization: Bearer nonsense
X-Podi-Mock: forbidden
--- error_code: 401
--- response_body_like: "code":"token_invalid"


=== TEST 6: a code that there is not
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
GET /v1/wallet
--- more_headers eval: "$::With: no_such_code"
--- error_code: 400
--- response_body_like: "code":"bad_request".*"field":"X-Podi-Mock"


=== TEST 7: "none" is no error
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
GET /v1/wallet
--- more_headers eval: "$::With: none"
--- error_code: 400
--- response_body_like: "code":"bad_request".*"field":"X-Podi-Mock"


=== TEST 8: outside a sandbox it is refused, and nothing is done
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Shut
--- request
POST /v1/auth/register
{"login":"wished_twice","password":"correct horse battery","display_name":"W"}
--- more_headers
Content-Type: application/json
X-Podi-Mock: login_taken
--- error_code: 400
--- response_body_like: in a sandbox only


=== TEST 9: and without the header all is as ever
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Shut
--- request
POST /v1/auth/register
{"login":"wished_twice","password":"correct horse battery","display_name":"W"}
--- more_headers
Content-Type: application/json
--- error_code: 201


=== TEST 10: other services have headers of their own
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Shut
--- request
GET /app/x
--- more_headers
X-Podi-Mock: theirs
--- response_body: mock=theirs
