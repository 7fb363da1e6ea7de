# A request that lives on a cookie: only from our own pages, and those of listed
# origins.  Without a cookie nobody asks.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http(add => <<'EOS');
podi_channel partner {
    path /partner/;
    origins https://partner.example;
}
EOS
our $Config = <<'EOS';
    podi_tenant demo;
    podi_trace on;
    podi_auth on;
    podi_csrf on;
    podi_cors_origin https://app.example;
    location = /api { try_files /none @done; }
    location /partner/ { try_files /none @done; }
    location = /log { podi_csrf log; try_files /none @done; }
    location = /off { podi_csrf off; try_files /none @done; }
    location = /own { podi_csrf_header X-Requested-With; try_files /none @done; }
    location = /dry { podi_dry_run on; try_files /none @done; }
    location @done { podi_csrf off; podi_auth off; return 200 "done"; }
EOS

my $ann = Podi::Suite::member('annie');
our $Cookie = "Cookie: __Host-podi_s=$ann->{token}\r\n";
our $Bearer = "Authorization: Bearer $ann->{token}\r\n";
our $Port = main::server_port();

sub with { my ($headers) = @_; return $::Cookie . $headers }

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: a page of ours
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["POST /api", "PUT /api", "DELETE /api", "PATCH /api"]
--- more_headers eval
[(main::with("Sec-Fetch-Site: same-origin")) x 3, main::with("Sec-Fetch-Site: none")]
--- error_code eval
[(200) x 4]


=== TEST 2: another site, and a sibling of ours
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["POST /api", "POST /api", "DELETE /api"]
--- more_headers eval
[main::with("Sec-Fetch-Site: cross-site\r\nOrigin: https://evil.example"),
 main::with("Sec-Fetch-Site: same-site\r\nOrigin: https://x.localhost"),
 main::with("Sec-Fetch-Site: cross-site\r\nX-Podi: 1")]
--- error_code eval
[(403) x 3]
--- response_body_like eval
[('"code":"csrf_refused"') x 3]


=== TEST 3: it cannot hide behind Host
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers eval
main::with("Host: localhost\r\nSec-Fetch-Site: cross-site\r\nOrigin: http://localhost")
--- request
POST /api
--- error_code: 403


=== TEST 4: a listed origin, of the location and of the channel
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["POST /api", "POST /partner/x", "POST /partner/x", "POST /api"]
--- more_headers eval
[main::with("Sec-Fetch-Site: cross-site\r\nOrigin: https://app.example"),
 main::with("Sec-Fetch-Site: same-site\r\nOrigin: https://partner.example"),
 main::with("Origin: https://partner.example"),
 main::with("Origin: https://partner.example")]
--- error_code eval
[200, 200, 200, 403]


=== TEST 5: without Fetch Metadata the origin decides, whole
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
[("POST /api") x 9]
--- more_headers eval
[main::with("Host: localhost:$::Port\r\nOrigin: http://localhost:$::Port"),
 main::with("Host: LOCALHOST:$::Port\r\nOrigin: http://localhost:$::Port"),
 main::with("Host: localhost:80\r\nOrigin: http://localhost"),
 main::with("Host: localhost\r\nOrigin: https://localhost"),
 main::with("Host: localhost\r\nOrigin: http://localhost.evil.example"),
 main::with("Host: localhost\r\nOrigin: http://evil-localhost"),
 main::with("Host: localhost\r\nOrigin: null"),
 main::with("Host: localhost\r\nOrigin: http://localhost:81"),
 main::with("Host: localhost.\r\nOrigin: http://localhost")]
--- error_code eval
[200, 200, 200, 403, 403, 403, 403, 403, 403]


=== TEST 6: headers that come twice, or say what no browser says
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
[("POST /api") x 5]
--- more_headers eval
[main::with("Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site"),
 main::with("Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: same-origin"),
 main::with("Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://evil.example"),
 main::with("Sec-Fetch-Site: same-origin, cross-site\r\nOrigin: https://evil.example"),
 main::with("Sec-Fetch-Site: SAME-ORIGIN")]
--- error_code eval
[(403) x 5]


=== TEST 7: an old browser without either: the header that a form cannot send
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["POST /api", "POST /api", "POST /api", "POST /own", "POST /own"]
--- more_headers eval
[main::with("X-Podi: 1"), main::with("X-Podi:"), main::with("X-Other: 1"),
 main::with("x-requested-with: XMLHttpRequest"), main::with("X-Podi: 1")]
--- error_code eval
[200, 403, 403, 200, 403]


=== TEST 8: the header is no excuse where the origin says better
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers eval
main::with("X-Podi: 1\r\nOrigin: https://evil.example")
--- request
POST /api
--- error_code: 403


=== TEST 9: what changes nothing passes, a handshake does not
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /api", "OPTIONS /api", "GET /api", "GET /api"]
--- more_headers eval
[main::with("Sec-Fetch-Site: cross-site"), $::Bearer . "Sec-Fetch-Site: cross-site",
 main::with("Upgrade: websocket\r\nOrigin: https://evil.example"),
 main::with("Upgrade: websocket\r\nOrigin: https://app.example")]
--- error_code eval
[200, 200, 403, 200]


=== TEST 10: a token in a header is sent by nobody but its owner
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers eval
$::Bearer . "Sec-Fetch-Site: cross-site\r\nOrigin: https://evil.example"
--- request
POST /api
--- error_code: 200


=== TEST 11: to see first what would be refused
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers eval: main::with("Sec-Fetch-Site: cross-site")
--- request
POST /log
--- error_code: 200
--- error_log
would refuse: csrf_refused


=== TEST 12: dry, the same
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers eval: main::with("Sec-Fetch-Site: cross-site")
--- request
POST /dry
--- error_code: 200
--- error_log
would refuse: csrf_refused


=== TEST 13: without it a cookie is no permission to change anything
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers eval: main::with("Sec-Fetch-Site: same-origin")
--- request
POST /off
--- error_code: 401


=== TEST 14: HTTP/2
--- http_config eval: $::Http
--- http2
--- config eval: $::Config
--- more_headers eval: main::with("Sec-Fetch-Site: cross-site") =~ s/\r//gr
--- request
POST /api
--- error_code: 403
