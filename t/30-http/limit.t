# Limits: so much may come at once, no more, whatever the key is made of; all
# of a location are decided as one.
#
# Rates are of one an hour, so that nothing comes back while a test runs.

use Test::Nginx::Socket 'no_plan';

our $Http = <<'EOS';
podi_limit_zone three 1m key=$arg_k rate=1r/h burst=3 missing=skip;
podi_limit_zone one   1m key=$arg_k rate=1r/h;
podi_limit_zone pair  1m key=$arg_a key=$arg_b rate=1r/h burst=1 missing=deny;
podi_limit_zone sum   1m key="$arg_a$arg_b" rate=1r/h burst=1 missing=skip;
podi_limit_zone by_ip 1m key=$arg_k rate=1r/h burst=2;
podi_limit_zone cost  1m key=$arg_k rate=1r/h burst=10 cost=$arg_c;
podi_limit_zone quota 1m key=$arg_k quota=2/month offset=+08:00;
podi_limit_zone plain 1m key=ip rate=1r/h burst=2;
EOS
our @Odd = ('%00', '%00%00', '{}', ':', '|', '%0d%0a', 'x' x 4000, 'x' x 4001);
our $Server = <<'EOS';
    location /three { podi_limit three; empty_gif; }
    location /both { podi_limit three one; empty_gif; }
    location /pair { podi_limit pair; empty_gif; }
    location /sum { podi_limit sum; empty_gif; }
    location /by_ip { podi_limit by_ip; empty_gif; }
    location /cost { podi_limit cost; empty_gif; }
    location /quota { podi_limit quota; empty_gif; }
    location /plain { podi_limit plain; empty_gif; }
    location /again { podi_limit three; try_files /none /both; }
    location /busy { podi_limit three; podi_limit_status 503; empty_gif; }
EOS

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: the burst passes, then nothing
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /three?k=t1') x 5 ]
--- error_code eval: [200, 200, 200, 429, 429]
--- response_headers eval
['Retry-After:', 'Retry-After:', 'Retry-After:', 'Retry-After: 3600', 'Retry-After: 3600']


=== TEST 2: the answer is a problem document that names the limit
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /three?k=t2') x 4 ]
--- error_code eval: [200, 200, 200, 429]
--- response_body_like eval
['', '', '', '"status":429,.*"code":"rate_limited".*"detail":"the limit \\\\"three\\\\" is used up".*"policy":"three"']


=== TEST 3: another key has its own
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ map { ("GET /three?k=t3$_") x 3 } 'a', 'b' ]
--- error_code eval: [ (200) x 6 ]


=== TEST 4: without a rate's burst one may come
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /both?k=t4') x 2 ]
--- error_code eval: [200, 429]


=== TEST 5: who is refused by one has cost the others nothing
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ ('GET /both?k=t5') x 6, ('GET /three?k=t5') x 3 ]
--- error_code eval: [ 200, (429) x 5, 200, 200, 429 ]


=== TEST 6: parts of a key do not run together
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ 'GET /pair?a=t6x&b=y', 'GET /pair?a=t6&b=xy', 'GET /pair?a=t6x&b=y' ]
--- error_code eval: [200, 200, 429]


=== TEST 7: what is one expression does
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ 'GET /sum?a=t7x&b=y', 'GET /sum?a=t7&b=xy' ]
--- error_code eval: [200, 429]


=== TEST 8: delimiters, NUL, braces and very long keys are keys like others
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ map { my $target = "/pair?a=t8&b=$_"; ("GET $target", "GET $target") } @::Odd ]
--- error_code eval: [ (200, 429) x 8 ]


=== TEST 9: a missing part: the limit is left out
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /three') x 5 ]
--- error_code eval: [ (200) x 5 ]


=== TEST 10: ... an empty one is missing too, and the request refused
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ 'GET /pair?a=t10', 'GET /pair?a=&b=t10' ]
--- error_code eval: [403, 403]
--- response_body_like eval: [ ('"code":"forbidden".*counts by') x 2 ]


=== TEST 11: ... and without a word the address counts
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ ('GET /by_ip') x 3, 'GET /by_ip?k=t11', ]
--- error_code eval: [200, 200, 429, 200]


=== TEST 12: a request costs what it says
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ map { "GET /cost?k=t12&c=$_" } 6, 5, 4, 0, 1 ]
--- error_code eval: [200, 429, 200, 200, 429]
--- response_headers eval
['Retry-After:', 'Retry-After: 3600', 'Retry-After:', 'Retry-After:', 'Retry-After: 3600']


=== TEST 13: nothing said costs 1, and what is no number is no request
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ 'GET /cost?k=t13', map { "GET /cost?k=t13&c=$_" }
  '', '-1', '1e3', '1000000000001', '99999999999999999999999', '8', '1' ]
--- error_code eval: [200, 200, 400, 400, 400, 400, 200, 429]
--- response_body_like eval
['', '', ('"code":"bad_request"') x 4, '', 'rate_limited']


=== TEST 14: more than there ever is
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /cost?k=t14&c=11
--- error_code: 429
--- response_headers
Retry-After: 86400
--- response_body_like: below what this costs
--- error_log
podi: rate_limited: the limit "cost" is below what this costs while in limit


=== TEST 15: a quota of the month
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /quota?k=t15') x 3, 'GET /quota?k=t15b' ]
--- error_code eval: [200, 200, 429, 200]


=== TEST 16: an internal redirect charges no limit twice, and adds the new ones
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ 'GET /again?k=t16', 'GET /three?k=t16', 'GET /three?k=t16',
  'GET /three?k=t16', 'GET /again?k=t16b', 'GET /both?k=t16b' ]
--- error_code eval: [200, 200, 200, 429, 200, 429]


=== TEST 17: another status for those who want it
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /busy?k=t17') x 4 ]
--- error_code eval: [200, 200, 200, 503]
--- response_headers eval: ['', '', '', 'Retry-After: 3600']
--- response_body_like eval: ['', '', '', '"code":"unavailable"']


=== TEST 18: whatever the method
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ 'DELETE /three?k=t18', 'POST /three?k=t18', 'GET /three?k=t18',
  'GET /three?k=t18' ]
--- error_code eval: [405, 405, 200, 429]
