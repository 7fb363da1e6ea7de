# What clients are told: RateLimit-Policy and RateLimit as structured fields.

use Test::Nginx::Socket 'no_plan';

our $Http = <<'EOS';
podi_limit_zone hour  1m key=$arg_k rate=1r/h burst=3 missing=skip;
podi_limit_zone quick 1m key=$arg_k rate=500r/s burst=50 missing=skip;
podi_limit_zone fast  1m key=$arg_k rate=5000r/s missing=skip;
podi_limit_zone day   1m key=$arg_k quota=1000/day missing=skip;
podi_limit_zone seat  1m key=$arg_k conn=4 missing=skip;
podi_limit_zone soon  1m key=$arg_k rate=1r/h burst=9 missing=skip;
podi_limit_zone long  1m key=$arg_k rate=1r/d burst=30 missing=skip;
podi_limit_plan hour pro rate=1r/h burst=30;
EOS
our $Server = <<'EOS';
    location /one { podi_limit hour; empty_gif; }
    location /all { podi_limit hour quick day seat; empty_gif; }
    location /fast { podi_limit fast; empty_gif; }
    location /off { podi_limit hour; podi_limit_headers off; empty_gif; }
    location /old { podi_limit hour soon; podi_limit_headers legacy; empty_gif; }
    location /two { podi_limit soon early; podi_limit hour; empty_gif; }
    location /both { podi_limit soon early; podi_limit hour; podi_limit_headers legacy; empty_gif; }
    location /less { podi_limit hour early; podi_limit soon; podi_limit_headers legacy; empty_gif; }
    location /long { podi_limit hour long; empty_gif; }
    location /none { podi_limit off; empty_gif; }
EOS

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: what is left, and until when
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /one?k=t1') x 4 ]
--- error_code eval: [200, 200, 200, 429]
--- response_headers_like eval
["RateLimit-Policy: \"hour\";q=3;w=10800\nRateLimit: \"hour\";r=2;t=3600",
 "RateLimit: \"hour\";r=1;t=7200",
 "RateLimit: \"hour\";r=0;t=10800",
 "RateLimit-Policy: \"hour\";q=3;w=10800\nRateLimit: \"hour\";r=0;t=3600\nRetry-After: 3600"]


=== TEST 2: several, of all kinds
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /all?k=t2
--- response_headers_like
RateLimit-Policy: "hour";q=3;w=10800, "quick";q=500;w=1, "day";q=1000;w=86400, "seat";q=4;qu="concurrent-requests"
RateLimit: "hour";r=2;t=3600, "quick";r=49;t=1, "day";r=999;t=\d+, "seat";r=3


=== TEST 3: a rate beyond the clock
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /fast?k=t3
--- response_headers
RateLimit-Policy: "fast";q=5000;w=1
RateLimit: "fast";r=4;t=1


=== TEST 4: not told
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /off?k=t4') x 4 ]
--- error_code eval: [200, 200, 200, 429]
--- response_headers eval
[ ("RateLimit:\nRateLimit-Policy:") x 3, "RateLimit:\nRetry-After: 3600" ]


=== TEST 5: the older names
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /old?k=t5') x 4 ]
--- error_code eval: [200, 200, 200, 429]
--- response_headers eval
["X-RateLimit-Limit: 3\nX-RateLimit-Remaining: 2\nX-RateLimit-Reset: 3600",
 'X-RateLimit-Remaining: 1', 'X-RateLimit-Remaining: 0',
 "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 3600"]


=== TEST 6: an early limit has a line of its own
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /two?k=t6
--- raw_response_headers_like: RateLimit: "soon";r=8;t=3600\r\n(?s:.*)RateLimit: "hour";r=2;t=3600\r\n


=== TEST 7: in a refusal no window ends after Retry-After
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /long?k=t7') x 4 ]
--- error_code eval: [200, 200, 200, 429]
--- response_headers_like eval
['RateLimit: "hour";r=2;t=3600, "long";r=29;t=86400', '', '',
 'RateLimit: "hour";r=0;t=3600, "long";r=27;t=3600']


=== TEST 8: where there is no limit, or nothing to count by, there is no field
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ 'GET /none?k=t8', 'GET /one' ]
--- response_headers eval: [ ("RateLimit:\nRateLimit-Policy:") x 2 ]


=== TEST 9: the older names are there once, of the limit of which least is left
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ ('GET /both?k=t9') x 4, ('GET /less?k=u9') x 4 ]
--- error_code eval: [ (200, 200, 200, 429) x 2 ]
--- raw_response_headers_like eval
[ map({ qr/\A(?!.*X-RateLimit-Remaining.*X-RateLimit-Remaining).*X-RateLimit-Limit: 3\r\nX-RateLimit-Remaining: $_\r\n/s }
      (2, 1, 0, 0) x 2) ]
