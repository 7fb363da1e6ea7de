# Who is led to the login page, and with which way back; and the page itself.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http();
our $Config = <<'EOS';
    podi_tenant demo;
    podi_auth_login /login;
    location /a { podi_auth on; try_files /none @done; }
    location ~ evil { podi_auth on; try_files /none @done; }
    location /any/ {
        podi_auth on;
        satisfy any;
        deny all;
        try_files /none @done;
    }
    location /off/ { podi_auth on; podi_auth_login off; try_files /none @done; }
    location /dry/ { podi_auth on; podi_dry_run on; try_files /none @done; }
    location /query/ {
        podi_auth on;
        podi_auth_source query=t;
        try_files /none @done;
    }
    location = /login { podi_login; }
    location @done { podi_auth off; return 200 "done"; }
EOS

our $Ann = Podi::Suite::member('annie');
our $Page = "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n";

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: a person is led to the page and told the way back
--- http_config eval: $::Http
--- config eval: $::Config
--- request
GET /a/b?x=1&y=%2F
--- more_headers eval: $::Page . "Sec-Fetch-Mode: navigate\r\n"
--- error_code: 302
--- response_headers
Location: /login?next=%2Fa%2Fb%3Fx%3D1%26y%3D%252F
Cache-Control: no-store
--- error_log: podi: unauthenticated


=== TEST 2: older browsers do not say how they ask; HEAD is as good
--- http_config eval: $::Http
--- config eval: $::Config
--- request
HEAD /a
--- more_headers eval: $::Page
--- error_code: 302
--- response_headers
Location: /login?next=%2Fa


=== TEST 3: who has forged a cookie as well
--- http_config eval: $::Http
--- config eval: $::Config
--- request
GET /a
--- more_headers eval: $::Page . "Cookie: __Host-podi_s=a.b.c\r\n"
--- error_code: 302


=== TEST 4: scripts, streams, forms, programs and sockets are told 401
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /a", "GET /a", "POST /a", "GET /a", "GET /a", "GET /a", "GET /off/",
 "GET /query/?t=a.b.c"]
--- more_headers eval
[$::Page . "Sec-Fetch-Mode: cors\r\n", "Accept: text/event-stream\r\n", $::Page,
 "X: y\r\n", $::Page . "Authorization: Bearer a.b.c\r\n",
 $::Page . "Upgrade: websocket\r\n", $::Page, $::Page]
--- error_code eval
[(401) x 8]


=== TEST 5: satisfy any and dry runs lead nobody away
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /dry/", "GET /any/"]
--- more_headers eval
[($::Page) x 2]
--- error_code eval
[200, 401]


=== TEST 6: who is signed in is let pass
--- http_config eval: $::Http
--- config eval: $::Config
--- request
GET /a
--- more_headers eval: $::Page . "Cookie: __Host-podi_s=$::Ann->{token}\r\n"
--- response_body: done


=== TEST 7: the way back is never another host
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET //evil.example/", "GET /\\evil.example/", "GET ///evil.example"]
--- more_headers eval
[($::Page) x 3]
--- response_headers eval
[("Location: /login?next=%2F") x 3]
--- error_code eval
[(302) x 3]


=== TEST 8: the page
--- http_config eval: $::Http
--- config eval: $::Config
--- request
GET /login?next=/a%3Fx=1
--- response_headers
Content-Type: text/html; charset=utf-8
Content-Language: en
Cache-Control: no-store
Referrer-Policy: no-referrer
--- response_headers_like
Content-Security-Policy: default-src 'none'; script-src 'sha256-[A-Za-z0-9+/]{43}='; style-src 'sha256-[A-Za-z0-9+/]{43}='; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'
--- response_body_like: <title>Sign in</title>


=== TEST 9: in Chinese
--- http_config eval: $::Http
--- config eval: $::Config
--- request
GET /login
--- more_headers
Accept-Language: zh-CN,zh;q=0.9
--- response_headers
Content-Language: zh-CN
--- response_body_like: <title>登录</title>


=== TEST 10: links that lead elsewhere are not served
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /login?next=//evil.example", "GET /login?next=/%5Cevil.example",
 "GET /login?next=https://evil.example/", "GET /login?next=/a%0d%0aX:y",
 "GET /login?next=javascript:alert(1)", "GET /login?next=", "POST /login"]
--- error_code eval
[(400) x 6, 405]


=== TEST 11: a login page is a path of this host
--- http_config eval: $::Http
--- config
    podi_auth_login //evil.example/login;
--- must_die
--- error_log: must be a path of this host
