# A breaker: what is behind is not called while too many of its calls are bad.
#
# Windows and times are of an hour, so that nothing moves while a test runs;
# breaker_workers.t has what comes after an open one's time is up.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = <<'EOS';
podi_zone 4m;
podi_breaker_zone app  64k key=$arg_k window=1h calls=4 errors=50% open=1h open_max=1h;
podi_breaker_zone many 64k key=$arg_k key=$arg_l window=1h calls=2 errors=100 open=1h open_max=1h status=404,500;
podi_breaker_zone ways 64k window=1h calls=2 open=1h open_max=1h;
podi_channel web { path /web/; }
podi_channel app { path /app/; }
server {
    listen unix:$TEST_NGINX_HTML_DIR/breaker.sock;
    location / {
        if ($arg_s = 500) { return 500; }
        if ($arg_s = 502) { return 502; }
        if ($arg_s = 404) { return 404; }
        return 200 "fine";
    }
}
EOS
our $Server = <<'EOS';
    podi_breaker app;
    add_header X-Breaker $podi_breaker always;

    location /up { proxy_pass $up:/; }
    location /many { podi_breaker many; proxy_pass $up:/; }
    location /dry { podi_breaker app dry_run; proxy_pass $up:/; }
    location /dry_all { podi_dry_run on; proxy_pass $up:/; }
    location /off { podi_breaker off; proxy_pass $up:/; }
    location /file { empty_gif; }
    location /deny { auth_basic x; auth_basic_user_file none; proxy_pass $up:/; }
    location /over { proxy_pass $up:/; proxy_intercept_errors on; error_page 502 = @over; }
    location @over { podi_breaker off; rewrite ^ /fine? break; proxy_pass $up; }
    location /again { proxy_pass $up:/; proxy_intercept_errors on; error_page 502 = @again; }
    location @again { rewrite ^ /fine?k=$arg_k? break; proxy_pass $up; }
    location /web/ { podi_breaker ways; proxy_pass $up:/; }
    location /app/ { podi_breaker ways; proxy_pass $up:/; }
    location = /metrics { podi_breaker off; podi_status; }
EOS
$Server =~ s{\$up}{http://unix:\$TEST_NGINX_HTML_DIR/breaker.sock}g;

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: as long as calls are good, all pass
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /up?k=t1') x 6 ]
--- error_code eval: [ (200) x 6 ]
--- response_headers eval
[ ('X-Breaker: closed') x 6 ]


=== TEST 2: too many bad ones open it, and nobody is asked any more
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
['GET /up?k=t2', 'GET /up?k=t2', ('GET /up?k=t2&s=500') x 3, 'GET /up?k=t2', 'GET /up?k=x2']
--- error_code eval: [200, 200, 500, 500, 503, 503, 200]
--- response_headers eval
[ ('X-Breaker: closed') x 4, ('X-Breaker: open') x 2, 'X-Breaker: closed' ]


=== TEST 3: the answer is a problem document that says when to come again
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[('GET /up?k=t3&s=500') x 4, 'GET /up?k=t3']
--- error_code eval: [500, 500, 500, 500, 503]
--- response_body_like eval
[ ('') x 4, '"status":503,.*"code":"unavailable".*"breaker":"app"' ]
--- response_headers_like eval
[ ('Content-Type: .*') x 4, 'Retry-After: (?:1[89]|2\d|3[0-6])\d\d' ]


=== TEST 4: fewer calls than calls= decide nothing
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[('GET /up?k=t4&s=502') x 3, 'GET /up?k=t4']
--- error_code eval: [502, 502, 502, 200]


=== TEST 5: nor does a status that is not among them
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[('GET /up?k=t5&s=404') x 6, 'GET /up?k=t5']
--- error_code eval: [ (404) x 6, 200 ]


=== TEST 6: unless status= names it; two keys never run together
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ ('GET /many?k=a&l=bc&s=404') x 3, 'GET /many?k=ab&l=c', 'GET /many?k=a&l=bc&s=502' ]
--- error_code eval: [404, 404, 503, 200, 503]


=== TEST 7: dry_run asks and counts, and lets pass
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[('GET /up?k=t8&s=500') x 4, 'GET /dry?k=t8', 'GET /dry_all?k=t8', 'GET /up?k=t8']
--- error_code eval: [500, 500, 500, 500, 200, 200, 503]
--- response_headers eval
[ ('X-Breaker: closed') x 4, ('X-Breaker: open') x 3 ]


=== TEST 8: off is off, and inherited otherwise
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[('GET /up?k=t9&s=500') x 4, 'GET /off?k=t9', 'GET /file?k=t9']
--- error_code eval: [500, 500, 500, 500, 200, 503]


=== TEST 9: what calls nobody is neither good nor bad
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[('GET /file?k=t10') x 4, ('GET /up?k=t10&s=500') x 4, 'GET /up?k=t10']
--- error_code eval: [ (200) x 4, (500) x 4, 503 ]


=== TEST 10: what is refused before is not asked for
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /deny?k=t11') x 6, 'GET /up?k=t11' ]
--- error_code eval: [ (401) x 6, 200 ]
--- response_headers eval
[ ('X-Breaker:') x 6, 'X-Breaker: closed' ]


=== TEST 11: an error page of another upstream does not hide the call
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /over?k=t12&s=502') x 4, 'GET /over?k=t12' ]
--- error_code eval: [ (200) x 4, 503 ]


=== TEST 12: nor does one that asks the same breaker: two calls, two reports
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /again?k=t13&s=502') x 2, 'GET /up?k=t13' ]
--- error_code eval: [ 200, 200, 503 ]


=== TEST 13: without key= each channel has its own
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ ('GET /web/?s=500') x 3, 'GET /app/' ]
--- error_code eval: [500, 500, 503, 200]


=== TEST 14: metrics
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[('GET /up?k=a%22b&s=500') x 5, 'GET /metrics']
--- error_code eval: [500, 500, 500, 500, 503, 200]
--- response_body_like eval
[ ('') x 5, qr/^podi_breaker_state\{name="app",key="a\%22b"\} 1$(?s:.*)^podi_breaker_opened_total\{name="app"\} [1-9](?s:.*)^podi_breaker_refused_total\{name="app"\} [1-9]/m ]


=== TEST 15: a zone that does not exist stops the start
--- http_config
--- config
    location / { podi_breaker nobody; empty_gif; }
--- must_die
--- error_log
there is no breaker "nobody": write podi_breaker_zone nobody 64k; at http level


=== TEST 16: so does a parameter that makes no sense
--- http_config
podi_breaker_zone x 64k errors=101%;
--- config
    location / { podi_breaker x; empty_gif; }
--- must_die
--- error_log
does not take "errors=101%"


=== TEST 17: and an open_max= that is less than open=
--- http_config
podi_breaker_zone x 64k open=2m;
--- config
    location / { podi_breaker x; empty_gif; }
--- must_die
--- error_log
has an open_max= below its open=
