# POST /v1/auth/register: what may be sent, and what it is told.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http();
our $Config = <<'CONF';
    podi_tenant demo;
    podi_trace on;
    location /v1/auth/ { podi_auth on; podi_account; }
    location /other/ {
        podi_tenant nowhere;
        podi_auth on;
        podi_account;
        rewrite ^/other(/.*)$ $1 break;
    }
CONF
our $Ann = Podi::Suite::member('annie')->{token};

add_block_preprocessor(sub {
    my ($block) = @_;
    my $more = $block->more_headers // '';

    $block->set_value(http_config => $::Http);
    $block->set_value(config => $::Config);
    $block->set_value(more_headers => "Content-Type: application/json\n$more")
        if $more !~ /^Content-Type/;
});

no_shuffle();
run_tests();

__DATA__

=== TEST 1: a new account; the name is folded
--- request
POST /v1/auth/register
{"login":"Bob.B+1@x.org","password":"a good password"}
--- error_code: 201
--- response_headers
Cache-Control: no-store
! Set-Cookie
--- response_body_like: ^\{"user_id":"[0-9a-f-]{36}","login":"bob\.b\+1@x\.org","display_name":"bob\.b\+1@x\.org","role":"user","created_at":"[^"]+Z"\}$


=== TEST 2: the name is taken, in any case
--- request
POST /v1/auth/register
{"login":"BOB.b+1@x.org","password":"another password"}
--- error_code: 409
--- response_body_like: "code":"login_taken"


=== TEST 3: a key: done
--- request
POST /v1/auth/register
{"login":"carla","password":"a good password","display_name":"小明"}
--- more_headers
Idempotency-Key: key-1
--- error_code: 201
--- response_body_like: "display_name":"小明"


=== TEST 4: the same again is the same
--- request
POST /v1/auth/register
{"login":"carla","password":"a good password","display_name":"小明"}
--- more_headers
Idempotency-Key: key-1
--- error_code: 201
--- response_body_like: "login":"carla"


=== TEST 5: with another password it is not
--- request
POST /v1/auth/register
{"login":"carla","password":"b good password","display_name":"小明"}
--- more_headers
Idempotency-Key: key-1
--- error_code: 409
--- response_body_like: "code":"idempotency_mismatch"


=== TEST 6: a key with a blank
--- request
POST /v1/auth/register
{"login":"carla","password":"a good password"}
--- more_headers
Idempotency-Key: key 1
--- error_code: 400
--- response_body_like: "code":"bad_request".*"field":"Idempotency-Key"


=== TEST 7: a key of 129 characters
--- request
POST /v1/auth/register
{"login":"carla","password":"a good password"}
--- more_headers eval: 'Idempotency-Key: ' . 'k' x 129
--- error_code: 400
--- response_body_like: "field":"Idempotency-Key"


=== TEST 8: a password of 7 characters
--- request
POST /v1/auth/register
{"login":"dora","password":"1234567"}
--- error_code: 422
--- response_body_like: "field":"password"


=== TEST 9: a password of 128 characters
--- request eval: qq(POST /v1/auth/register\n{"login":"dora","password":") . ("\xe5\xaf\x86" x 128) . '"}'
--- error_code: 201


=== TEST 10: which signs in
--- request eval: qq(POST /v1/auth/login\n{"login":"dora","password":") . ("\xe5\xaf\x86" x 128) . '"}'
--- response_body_like: "access_token"


=== TEST 11: and its first 127 do not
--- request eval: qq(POST /v1/auth/login\n{"login":"dora","password":") . ("\xe5\xaf\x86" x 127) . '"}'
--- error_code: 401
--- response_body_like: "code":"bad_credentials"


=== TEST 12: a password is what was typed: blanks count
--- request
POST /v1/auth/register
{"login":"emil","password":"  two blanks  "}
--- error_code: 201


=== TEST 13: without them it is another
--- request
POST /v1/auth/login
{"login":"emil","password":"two blanks"}
--- error_code: 401
--- response_body_like: "code":"bad_credentials"


=== TEST 14: a name of two characters
--- request
POST /v1/auth/register
{"login":"ab","password":"a good password"}
--- error_code: 422
--- response_body_like: "field":"login"


=== TEST 15: a name of 65
--- request eval: qq(POST /v1/auth/register\n{"login":") . 'x' x 65 . '","password":"a good password"}'
--- error_code: 422
--- response_body_like: "field":"login"


=== TEST 16: a name with a blank
--- request
POST /v1/auth/register
{"login":"a b c","password":"a good password"}
--- error_code: 422
--- response_body_like: "field":"login"


=== TEST 17: a name that looks like another
--- request eval: qq(POST /v1/auth/register\n{"login":"c\xd0\xb0rla","password":"a good password"})
--- error_code: 422
--- response_body_like: "field":"login"


=== TEST 18: an empty display name
--- request
POST /v1/auth/register
{"login":"fred","password":"a good password","display_name":""}
--- error_code: 422
--- response_body_like: "field":"display_name"


=== TEST 19: one of 65 characters
--- request eval: qq(POST /v1/auth/register\n{"login":"fred","password":"a good password","display_name":") . 'x' x 65 . '"}'
--- error_code: 422
--- response_body_like: "field":"display_name"


=== TEST 20: one with a line feed
--- request
POST /v1/auth/register
{"login":"fred","password":"a good password","display_name":"a\nb"}
--- error_code: 422
--- response_body_like: "field":"display_name"


=== TEST 21: nobody makes himself an admin
--- request
POST /v1/auth/register
{"login":"fred","password":"a good password","role":"admin"}
--- error_code: 422
--- response_body_like: "field":"role"


=== TEST 22: a key twice in the body
--- request
POST /v1/auth/register
{"login":"fred","password":"a good password","password":"another password"}
--- error_code: 400
--- response_body_like: "code":"bad_json"


=== TEST 23: another content type
--- request
POST /v1/auth/register
{"login":"fred","password":"a good password"}
--- more_headers
Content-Type: text/plain
--- error_code: 415
--- response_body_like: "code":"unsupported_type"


=== TEST 24: a large body
--- request eval: qq(POST /v1/auth/register\n{"login":"fred","password":") . 'x' x 5000 . '"}'
--- error_code: 413
--- response_body_like: "code":"body_too_large"


=== TEST 25: GET is not for this path
--- request
GET /v1/auth/register
--- more_headers eval: "Authorization: Bearer $::Ann"
--- error_code: 405
--- response_headers
Allow: POST
--- response_body_like: "code":"method_not_allowed"


=== TEST 26: a path that is none
--- request
GET /v1/auth/nothing
--- more_headers eval: "Authorization: Bearer $::Ann"
--- error_code: 404
--- response_body_like: "code":"not_found"


=== TEST 27: a tenant that does not exist
--- request
POST /other/v1/auth/register
{"login":"gina","password":"a good password"}
--- error_code: 404
--- response_body_like: "code":"not_found"
