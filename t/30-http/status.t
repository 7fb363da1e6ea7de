# What operators ask: does it live, may traffic come, how much was done.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http();
our $Dead = Podi::Suite::http(replace => { 'host=\S+' => 'host=/nonexistent' });
our $Mute = Podi::Suite::http(replace => {
    'podi_redis unix:\S+;' => 'podi_redis unix:/nonexistent;' });
our $Ann = Podi::Suite::member('annie');
our $Server = <<'EOS';
    podi_tenant demo;
    podi_metrics_dir $TEST_NGINX_HTML_DIR;
    location = /healthz { podi_status; }
    location = /readyz { podi_status; }
    location = /metrics { podi_status; }
    location = /status { podi_status; }
    location /v1/ { podi_auth on; podi_account; podi_wallet; }
EOS

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: it lives
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /healthz
--- response_body chomp
{"status":"ok"}


=== TEST 2: traffic may come
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /readyz
--- response_body_like: "status":"ready".*"migration":\{"ok":true.*"redis_policy":\{"ok":true


=== TEST 3: not for a tenant that is not there
--- http_config eval: $::Http
--- config
    podi_tenant nobody;
    location = /readyz { podi_status; }
--- request
GET /readyz
--- error_code: 503
--- response_body_like: "status":"unready".*"tenant":\{"ok":false


=== TEST 4: without PostgreSQL it lives, and says that it is not ready
--- http_config eval: $::Dead
--- config eval: $::Server . "podi_deadline 300ms;"
--- pipelined_requests eval: ['GET /healthz', 'GET /readyz']
--- error_code eval: [200, 503]
--- response_body_like eval: ['ok', '"code":"deadline"|"postgresql":\{"ok":false']


=== TEST 5: without Redis it is ready
--- http_config eval: $::Mute
--- config eval: $::Server
--- request
GET /readyz
--- response_body_like: "status":"degraded".*"redis":\{"ok":false


=== TEST 6: every route has its counters before its first request
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /metrics
--- response_headers
Content-Type: text/plain; version=0.0.4; charset=utf-8
--- response_body_like: podi_http_requests_total\{method="GET",route="/v1/wallet/entries",class="5xx"\} 0\n


=== TEST 7: and counts by class
--- http_config eval: $::Http
--- config eval: $::Server . "# alone\n"
--- pipelined_requests eval: ['GET /v1/wallet', 'GET /metrics']
--- error_code eval: [401, 200]
--- response_body_like eval
['unauthenticated',
 'route="/v1/wallet",class="4xx"\} 1\n(?s:.*)_count\{method="GET",route="/v1/wallet",class="4xx"\} 1\n']


=== TEST 8: what daemons wrote is told family by family
--- user_files
>>> a.prom
# HELP podi_x_total how much
# TYPE podi_x_total counter
podi_x_total{pid="1"} 3
>>> b.prom
# HELP podi_x_total how much
# TYPE podi_x_total counter
podi_x_total{pid="2"} 4
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /metrics
--- response_body_like: # HELP podi_x_total how much\n# TYPE podi_x_total counter\npodi_x_total\{pid="[12]"\} \d\npodi_x_total\{pid="[12]"\} \d\n


=== TEST 9: but not of a daemon that is no more
--- user_files eval
[ [ 'a.prom', "# TYPE podi_x_total counter\npodi_x_total 3\n",
    '197001010000.00' ] ]
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /metrics
--- response_body_unlike: podi_x_total


=== TEST 10: a page for who reads HTML
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
Accept: text/html
--- request
GET /status
--- response_headers
Content-Type: text/html; charset=utf-8
Vary: Accept
Cache-Control: no-store
--- response_body_like: <th scope="row">PostgreSQL connections</th><td>(?:<b>)?\d+ of [1-9]\d*(?s:.*)<th scope="row">age of that knowledge</th>


=== TEST 11: which names nobody
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: ['GET /v1/wallet', 'GET /status']
--- more_headers eval
"Authorization: Bearer $::Ann->{token}\nAccept: text/html"
--- error_code eval: [200, 200]
--- response_body_unlike eval
["^\$", qr/$::Ann->{user_id}|$::Ann->{session}|annie/]


=== TEST 12: and text for others
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /status
--- response_headers
Content-Type: text/plain; version=0.0.4; charset=utf-8
--- response_body_like: podi_nginx_workers


=== TEST 13: allow and deny say for whom
--- http_config eval: $::Http
--- config
    podi_tenant demo;
    location = /status { deny all; podi_status; }
--- more_headers
Accept: text/html
--- request
GET /status
--- error_code: 403
--- error_log: access forbidden by rule
--- response_body_unlike: podi|PostgreSQL


=== TEST 14: a location that is not exact shows neither
--- http_config eval: $::Http
--- config
    podi_tenant demo;
    location /metrics { podi_status; }
    location ~ ^/(status|healthz|readyz) { podi_status; }
--- pipelined_requests eval
['GET /metrics', 'GET /status', 'GET /healthz', 'GET /readyz']
--- error_code eval: [404, 404, 200, 200]
--- response_body_like eval
['"code":"not_found"', '"code":"not_found"', '"ok"', '"ready"']
