# POST /v1/auth/login: what may be sent, and what it is told.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http();
our $Config = <<'CONF';
    podi_tenant demo;
    podi_trace on;
    location /v1/auth/ { podi_auth on; podi_account; }
CONF

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(http_config => $::Http);
    $block->set_value(config => $::Config);
    $block->set_value(more_headers => 'Content-Type: application/json')
        if !defined $block->more_headers;
});

no_shuffle();
run_tests();

__DATA__

=== TEST 1: an account to sign in to
--- request
POST /v1/auth/register
{"login":"Ann@x.org","password":"a good password","display_name":"Ann"}
--- error_code: 201
--- response_body_like: "login":"ann@x\.org","display_name":"Ann","role":"user"


=== TEST 2: the right password, the name in any case
--- request
POST /v1/auth/login
{"login":"aNN@X.org","password":"a good password","device_label":"Ann's phone"}
--- response_headers
Cache-Control: no-store
--- response_body_like: ^\{"access_token":"[\w-]+\.[\w-]+\.[\w-]+","token_type":"Bearer","expires_in":300,.*"identity_source":"local"
--- raw_response_headers_like: (?s)Set-Cookie: __Secure-podi_rt=v1\.[\w.-]+; Max-Age=2591999; Secure; HttpOnly; Path=/v1/auth/refresh; SameSite=Strict\r\n.*Set-Cookie: __Host-podi_s=[\w.-]+; Max-Age=300; Secure; HttpOnly; Path=/; SameSite=Lax\r\n


=== TEST 3: a wrong password
--- request
POST /v1/auth/login
{"login":"ann@x.org","password":"a wrong password"}
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="podi"
! Set-Cookie
--- response_body_like: "code":"bad_credentials","detail":"wrong login name or password","trace_id"


=== TEST 4: an unknown name is told the same
--- request
POST /v1/auth/login
{"login":"bob@x.org","password":"a wrong password"}
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="podi"
! Set-Cookie
--- response_body_like: "code":"bad_credentials","detail":"wrong login name or password","trace_id"


=== TEST 5: in Chinese
--- request
POST /v1/auth/login
{"login":"bob@x.org","password":"a wrong password"}
--- more_headers
Content-Type: application/json
Accept-Language: zh-CN,zh;q=0.9
--- error_code: 401
--- response_headers
Content-Language: zh-CN
--- response_body_like: "title":"登录名或密码错误"


=== TEST 6: a password of 7 characters
--- request
POST /v1/auth/login
{"login":"ann@x.org","password":"1234567"}
--- error_code: 422
--- response_body_like: "code":"bad_field".*"field":"password"


=== TEST 7: a password of 128 characters of three bytes is checked
--- request eval: qq(POST /v1/auth/login\n{"login":"ann\@x.org","password":") . ("\xe5\xaf\x86" x 128) . '"}'
--- error_code: 401
--- response_body_like: "code":"bad_credentials"


=== TEST 8: one of 129 is not
--- request eval: qq(POST /v1/auth/login\n{"login":"ann\@x.org","password":") . ("\xe5\xaf\x86" x 129) . '"}'
--- error_code: 422
--- response_body_like: "field":"password"


=== TEST 9: 7 characters in 21 bytes are 7 characters
--- request eval: qq(POST /v1/auth/login\n{"login":"ann\@x.org","password":") . ("\xe5\xaf\x86" x 7) . '"}'
--- error_code: 422
--- response_body_like: "field":"password"


=== TEST 10: a login name that nobody can have
--- request
POST /v1/auth/login
{"login":"ann'; drop table users","password":"a good password"}
--- error_code: 422
--- response_body_like: "field":"login"


=== TEST 11: a login name beyond ASCII
--- request
POST /v1/auth/login
{"login":"änn@x.org","password":"a good password"}
--- error_code: 422
--- response_body_like: "field":"login"


=== TEST 12: a key that occurs twice
--- request
POST /v1/auth/login
{"login":"ann@x.org","password":"a wrong password","login":"bob@x.org"}
--- error_code: 400
--- response_body_like: "code":"bad_json","detail":"a member occurs twice


=== TEST 13: twice, once with an escape
--- request
POST /v1/auth/login
{"login":"ann@x.org","password":"a wrong password","log\u0069n":"bob@x.org"}
--- error_code: 400
--- response_body_like: "code":"bad_json","detail":"a member occurs twice


=== TEST 14: no JSON
--- request
POST /v1/auth/login
login=ann&password=secret
--- error_code: 400
--- response_body_like: "code":"bad_json"


=== TEST 15: JSON, but no object
--- request
POST /v1/auth/login
["ann@x.org","a good password"]
--- error_code: 400
--- response_body_like: "code":"bad_json","detail":"the body must be an object"


=== TEST 16: an object and more
--- request
POST /v1/auth/login
{"login":"ann@x.org","password":"a good password"} {}
--- error_code: 400
--- response_body_like: "code":"bad_json"


=== TEST 17: no body
--- request
POST /v1/auth/login
--- error_code: 400
--- response_body_like: "code":"bad_json"


=== TEST 18: nested too deep
--- request eval: "POST /v1/auth/login\n" . '{"login":' . '[' x 100 . ']' x 100 . '}'
--- error_code: 400
--- response_body_like: "code":"bad_json","detail":"nested deeper


=== TEST 19: a NUL in a text
--- request
POST /v1/auth/login
{"login":"ann@x.org","password":"a good password\u0000"}
--- error_code: 400
--- response_body_like: "code":"bad_json"


=== TEST 20: broken UTF-8
--- request eval: qq(POST /v1/auth/login\n{"login":"ann\@x.org","password":"a good pass\xff"})
--- error_code: 400
--- response_body_like: "code":"bad_json","detail":"invalid UTF-8


=== TEST 21: a password that is a number
--- request
POST /v1/auth/login
{"login":"ann@x.org","password":1234567890}
--- error_code: 422
--- response_body_like: "detail":"must be a string","field":"password"


=== TEST 22: no password
--- request
POST /v1/auth/login
{"login":"ann@x.org"}
--- error_code: 422
--- response_body_like: "detail":"the field is required","field":"password"


=== TEST 23: a member that is not known
--- request
POST /v1/auth/login
{"login":"ann@x.org","password":"a good password","role":"admin"}
--- error_code: 422
--- response_body_like: "field":"role"


=== TEST 24: a device label that would begin a line in a log
--- request
POST /v1/auth/login
{"login":"ann@x.org","password":"a good password","device_label":"a\nb"}
--- error_code: 422
--- response_body_like: "field":"device_label"


=== TEST 25: another content type
--- request
POST /v1/auth/login
{"login":"ann@x.org","password":"a good password"}
--- more_headers
Content-Type: text/plain
--- error_code: 415
--- response_body_like: "code":"unsupported_type"


=== TEST 26: a content type with a parameter
--- request
POST /v1/auth/login
{"login":"ann@x.org","password":"a wrong password"}
--- more_headers
Content-Type: application/json; charset=utf-8
--- error_code: 401
--- response_body_like: "code":"bad_credentials"


=== TEST 27: a large body, announced
--- request eval: qq(POST /v1/auth/login\n{"login":"ann\@x.org","password":") . ('x' x 100000) . '"}'
--- error_code: 413
--- response_body_like: "code":"body_too_large"


=== TEST 28: a large body in chunks
--- request eval: "POST /v1/auth/login\n" . sprintf("%x\r\n%s\r\n", 5000, 'x' x 5000) x 3 . "0\r\n\r\n"
--- more_headers
Content-Type: application/json
Transfer-Encoding: chunked
--- error_code: 413
--- response_body_like: "code":"body_too_large"


=== TEST 29: small chunks make a body
--- request eval: "POST /v1/auth/login\n1b\r\n{\"login\":\"bob\@x.org\",\"passw\r\n1b\r\nord\":\"a wrong password\"}   \r\n0\r\n\r\n"
--- more_headers
Content-Type: application/json
Transfer-Encoding: chunked
--- error_code: 401
--- response_body_like: "code":"bad_credentials"


=== TEST 30: a body that comes byte by byte
--- raw_request eval: my $body = '{"login":"bob@x.org","password":"no such"}'; [ "POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n", split //, $body ]
--- raw_request_middle_delay: 0.001
--- error_code: 422
--- response_body_like: "field":"password"


=== TEST 31: a body that is cut
--- raw_request eval: "POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"login\":"
--- shutdown: 1
--- ignore_response
--- error_log
client prematurely closed connection


=== TEST 32: a token that is none does not stop who signs in
--- request
POST /v1/auth/login
{"login":"bob@x.org","password":"a wrong password"}
--- more_headers
Content-Type: application/json
Authorization: Bearer nonsense
--- error_code: 401
--- response_body_like: "code":"bad_credentials"
