# Each request has an id: the caller's when it is a valid one, and ours
# otherwise; it is on every answer, in the log, and on what goes upstream.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http();
our $Server = <<'EOS';
    podi_trace on;

    location /id { return 200 "$podi_trace_id $podi_span_id"; }
    location /missing { root /nonexistent; }
EOS
our $Upstream = <<'EOS';
server {
    listen unix:$TEST_NGINX_HTML_DIR/up.sock;
    location / { return 200 "$http_traceparent|$http_x_podi_user|$http_x_other"; }
}
EOS
our $Proxied = <<'EOS';
    podi_trace on;
    location /up { proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
                   proxy_set_header traceparent $podi_traceparent; }
EOS
our $Parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: without a traceparent the id is made
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /id
--- response_body_like: ^[0-9a-f]{32} [0-9a-f]{16}$
--- response_headers_like
X-Trace-Id: [0-9a-f]{32}


=== TEST 2: a valid traceparent is continued
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: "traceparent: $::Parent"
--- request
GET /id
--- response_body_like: ^0af7651916cd43dd8448eb211c80319c (?!b7ad6b7169203331)
--- response_headers
X-Trace-Id: 0af7651916cd43dd8448eb211c80319c


=== TEST 3: what goes upstream is the same trace with a span of ours
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Proxied
--- more_headers eval: "traceparent: $::Parent"
--- request
GET /up
--- response_body_like: ^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01\|


=== TEST 4: an upper-case one is not valid, and a new trace begins
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
traceparent: 00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01
--- request
GET /id
--- response_body_unlike: ^0af765


=== TEST 5: two of them are not valid either
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: "traceparent: $::Parent\r\ntraceparent: $::Parent"
--- request
GET /id
--- response_body_unlike: ^0af765


=== TEST 6: an error of nginx carries the id, and so does its line in the log
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: "traceparent: $::Parent"
--- request
GET /missing
--- error_code: 404
--- response_headers
X-Trace-Id: 0af7651916cd43dd8448eb211c80319c
--- error_log
trace_id: 0af7651916cd43dd8448eb211c80319c


=== TEST 7: a request that cannot be read has an id as well
--- http_config eval: $::Http
--- config eval: $::Server
--- raw_request eval: "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n"
--- error_code: 400
--- response_headers_like
X-Trace-Id: [0-9a-f]{32}


=== TEST 8: what only PODI may say does not pass, wherever it stands
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Proxied
--- more_headers
X-Podi-User: root
X-Other: stays
x-podi-role: admin
--- request
GET /up
--- response_body_like: \|\|stays$


=== TEST 9: a request of nothing but such headers is left empty
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Proxied
--- raw_request eval: "GET /up HTTP/1.0\r\nX-Podi-User: root\r\n\r\n"
--- response_body_like: \|\|$


=== TEST 10: off means off
--- http_config eval: $::Http
--- config
    podi_trace off;
    location /id { return 200 "x"; }
--- request
GET /id
--- response_headers
! X-Trace-Id


=== TEST 11: the same over HTTP/2
--- http_config eval: $::Http
--- http2
--- config eval: $::Server
--- more_headers eval: "traceparent: $::Parent"
--- request
GET /id
--- response_body_like: ^0af7651916cd43dd8448eb211c80319c
