# Limits that machines share, while Redis is away (nobody listens there); with
# Redis: t/50-fault/limit_redis.t.

use Test::Nginx::Socket 'no_plan';

our $Http = <<'EOS';
podi_redis 127.0.0.1:1;
podi_limit_deadline 20ms;
podi_limit_lease 30s;
podi_limit_zone open 1m key=$arg_k rate=1r/h burst=2 mode=exact;
podi_limit_zone closed 1m key=$arg_k rate=1r/h burst=2 mode=leased on_failure=closed;
podi_limit_zone local 1m key=$arg_k rate=1r/h burst=4 mode=leased on_failure=local;
podi_limit_zone half 1m key=$arg_k rate=1r/h burst=4 mode=exact on_failure=local nodes=2;
podi_limit_zone quota 1m key=$arg_k quota=6/day mode=exact on_failure=local nodes=3;
podi_limit_zone here 1m key=$arg_k rate=1r/h burst=3;
log_format limits "$uri $status $podi_limit $podi_limit_left $podi_limit_mode";
EOS
our $Server = <<'EOS';
    access_log logs/limits.log limits;
    add_header X-Mode $podi_limit_mode always;
    location /open { podi_limit open; empty_gif; }
    location /closed { podi_limit closed; empty_gif; }
    location /dry { podi_limit closed dry_run; empty_gif; }
    location /local { podi_limit local; empty_gif; }
    location /half { podi_limit half; empty_gif; }
    location /quota { podi_limit quota; empty_gif; }
    location /both { podi_limit here closed; empty_gif; }
    location /here { podi_limit here; empty_gif; }
    location /all { podi_limit local half; empty_gif; }
EOS

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: open lets pass, and the decision says that it is degraded
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /open?k=t1') x 4 ]
--- error_code eval: [ (200) x 4 ]
--- response_headers eval
[ ("RateLimit:\nX-Mode: degraded") x 4 ]


=== TEST 2: closed refuses with 503, not 429: nobody was too fast
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /closed?k=t2
--- error_code: 503
--- response_headers
Retry-After: 1
X-Mode: degraded
--- response_body_like: "code":"unavailable"
--- error_log
the limit "closed" cannot be counted


=== TEST 3: unless it runs dry
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /dry?k=t3
--- error_code: 200


=== TEST 4: local counts in this machine's memory
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /local?k=t4') x 5 ]
--- error_code eval: [200, 200, 200, 200, 429]
--- response_headers eval
[ (map { qq(RateLimit: "local";r=$_;t=) . (4 - $_) * 3600 . "\nX-Mode: degraded" } 3, 2, 1, 0),
  "Retry-After: 3600\nX-Mode: degraded" ]


=== TEST 5: of two nodes each has half of it
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /half?k=t5') x 3 ]
--- error_code eval: [200, 200, 429]
--- response_headers eval
[ 'Retry-After:', 'Retry-After:', 'Retry-After: 7200' ]


=== TEST 6: of a quota too
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /quota?k=t6') x 3 ]
--- error_code eval: [200, 200, 429]


=== TEST 7: who is refused by one limit is charged by none
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ ('GET /both?k=t7') x 5, ('GET /here?k=t7') x 4 ]
--- error_code eval: [ (503) x 5, (200) x 3, 429 ]


=== TEST 8: nor by those that are counted here instead
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ ('GET /all?k=t8') x 5, ('GET /local?k=t8') x 3 ]
--- error_code eval: [ 200, 200, 429, 429, 429, 200, 200, 429 ]


=== TEST 9: a mode that there is not
--- http_config
podi_limit_zone x 1m key=ip rate=1r/s mode=loose;
--- config
--- must_die
--- error_log
does not take "mode=loose"


=== TEST 10: a failure that there is not
--- http_config
podi_limit_zone x 1m key=ip rate=1r/s on_failure=ignore;
--- config
--- must_die
--- error_log
does not take "on_failure=ignore"


=== TEST 11: no nodes
--- http_config
podi_limit_zone x 1m key=ip rate=1r/s nodes=0;
--- config
--- must_die
--- error_log
does not take "nodes=0"


=== TEST 12: quotas cannot be leased
--- http_config
podi_redis 127.0.0.1:1;
podi_limit_zone x 1m key=ip quota=10/day mode=leased;
--- config
--- must_die
--- error_log
mode=leased is for rate=; write mode=exact


=== TEST 13: without Redis nothing is shared
--- http_config
podi_limit_zone x 1m key=ip rate=1r/s mode=exact;
--- config
--- must_die
--- error_log
write podi_redis 127.0.0.1:6379; at http level


=== TEST 14: nor is it decided before it is known who asks
--- http_config
podi_redis 127.0.0.1:1;
podi_limit_zone x 1m key=ip rate=1r/s mode=exact;
--- config
podi_limit x early;
--- must_die
--- error_log
is for limits of mode=local


=== TEST 15: a deadline that nobody would wait for
--- http_config
podi_limit_deadline 1m;
--- config
--- must_die
--- error_log
value must be between


=== TEST 16: nor can a plan's burst take 54 years
--- http_config
podi_redis 127.0.0.1:1;
podi_limit_zone x 1m key=ip rate=1r/d mode=exact;
podi_limit_plan x pro rate=1r/d burst=20000;
--- config
--- must_die
--- error_log
"podi_limit_plan" directive the burst must be filled again within 50 years
